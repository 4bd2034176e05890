#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

double cosine(ur::embedding_view a, ur::embedding_view b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return sum;
}

const std::vector<std::string> texts{
    "the cat sat on the mat",       "THE CAT, sat: on the mat!", "a dog ran in the park", "", "?!",
    "caf\xC3\xA9 \xFF broken utf-8"};

}  // namespace

TEST_CASE("hashed tf-idf: rows have length 1, case and punctuation do not matter, and a text without words is zero") {
  ur::hashed_tfidf encoder{{.dimension = 300}};
  CHECK_THROWS_AS(encoder.encode(texts), ur::not_fitted);
  encoder.fit(texts);
  const auto x = encoder.encode(texts);
  CHECK(ur::columns(x) == 300);
  for (const std::size_t i : {0, 1, 2, 5}) CHECK(cosine(ur::row(x, i), ur::row(x, i)) == Approx(1).epsilon(1e-5));
  CHECK(cosine(ur::row(x, 0), ur::row(x, 1)) == Approx(1).epsilon(1e-5));
  CHECK(std::fabs(cosine(ur::row(x, 0), ur::row(x, 2))) < .5);
  for (const std::size_t i : {3, 4}) CHECK(cosine(ur::row(x, i), ur::row(x, i)) == 0);
}

TEST_CASE("hashed tf-idf: batch, single, threads and a saved copy have the same bits") {
  ur::hashed_tfidf encoder{{.dimension = 65, .seed = 9}};
  encoder.fit(texts);
  const auto x = encoder.encode(texts);
  std::vector<float> one(65);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    encoder.encode(texts[i], std::span<float>(one));
    CHECK(std::equal(one.begin(), one.end(), ur::row(x, i).begin()));
  }
  ur::hashed_tfidf copy{{.threads = 3}};
  copy.load(encoder.save());
  CHECK((copy.encode(texts) == x));
  auto absurd = encoder.save();
  absurd.set("dimension", std::uint64_t{1} << 32);
  CHECK_THROWS_AS(copy.load(absurd), ur::format_error);
  CHECK((copy.encode(texts) == x));
}

TEST_CASE("hashed tf-idf: a rare word counts more than a common one") {
  std::vector<std::string> corpus(50, "common words everywhere");
  corpus.push_back("rare");
  ur::hashed_tfidf encoder{{.dimension = 2048, .longest_ngram = 1}};
  encoder.fit(corpus);
  const std::vector<std::string> asked{"common rare", "common", "rare"};
  const auto x = encoder.encode(asked);
  CHECK(cosine(ur::row(x, 0), ur::row(x, 2)) > cosine(ur::row(x, 0), ur::row(x, 1)) + .3);
}

TEST_CASE("hashed tf-idf refuses bad options, an empty corpus and a wrong output size") {
  CHECK_THROWS_AS(ur::hashed_tfidf({.dimension = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::hashed_tfidf({.dimension = 65537}), std::invalid_argument);
  CHECK_THROWS_AS(ur::hashed_tfidf({.longest_ngram = 0}), std::invalid_argument);
  ur::hashed_tfidf encoder;
  CHECK_THROWS_AS(encoder.fit({}), std::invalid_argument);
  encoder.fit(texts);
  std::vector<float> small(3);
  CHECK_THROWS_WITH(encoder.encode("x", std::span<float>(small)), Catch::Contains("3 values, but must have 256"));
}

TEST_CASE("precomputed embeddings keep the dimension and refuse others") {
  ur::precomputed_embeddings source;
  CHECK_THROWS_AS(source.check(ur::make_matrix<float>(1, 2, 0.0F)), ur::not_fitted);
  source.fit(ur::make_matrix<float>(3, 2, 0.0F));
  source.check(ur::make_matrix<float>(1, 2, 0.0F));
  CHECK_THROWS_AS(source.check(ur::make_matrix<float>(1, 3, 0.0F)), std::invalid_argument);
  CHECK_THROWS_AS(source.fit(ur::make_matrix<float>(1, 1, NAN)), std::domain_error);
  CHECK_THROWS_AS(source.fit(ur::make_matrix<float>(0, 1)), std::invalid_argument);
}
