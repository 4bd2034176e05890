#include <catch2/catch.hpp>
#include <cmath>
#include <encode/tiny_model.hpp>
#include <support/allocation_counter.hpp>
#include <uniroute/encode/concatenated.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/lsa.hpp>
#include <uniroute/encode/projected.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/encode/static_encoder.hpp>
#include <uniroute/numeric/lapack.hpp>

namespace ur = uniroute;
using namespace uniroute_tests;

namespace {

const std::vector<std::string> texts{"the cat sat on the mat",
                                     "a cat and a dog",
                                     "the dog sat on the cat",
                                     "stocks and bonds fell",
                                     "bonds rose again",
                                     "stocks fell, bonds rose",
                                     "cats, dogs and stocks",
                                     "the market fell on the day",
                                     "",
                                     "?!"};

double dot(ur::embedding_view a, ur::embedding_view b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return sum;
}

/// Batch, single prompts, threads and a saved copy; no allocation once warm.
template <class Encoder>
void check_encoder(const Encoder& encoder, Encoder blank) {
  const auto x = encoder.encode(texts);
  REQUIRE(ur::columns(x) == encoder.dimension());
  std::vector<float> one(encoder.dimension());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    encoder.encode(texts[i], std::span<float>(one));
    CHECK(std::equal(one.begin(), one.end(), ur::row(x, i).begin()));
    const double square = dot(one, one);
    CHECK((square == 0 || std::fabs(square - 1) < 1e-5));
  }
  const allocation_counter counter;
  encoder.encode(texts[0], std::span<float>(one));
  CHECK(counter.count() == 0);
  blank.load(encoder.save());
  CHECK((blank.encode(texts) == x));
  CHECK_THROWS_AS(blank.load(ur::state{}), ur::format_error);
  CHECK((blank.encode(texts) == x));
  std::vector<float> wrong(encoder.dimension() + 1);
  CHECK_THROWS_AS(encoder.encode("x", std::span<float>(wrong)), std::invalid_argument);
}

}  // namespace

TEST_CASE("a static encoder is the mean of its rows, scaled to length 1") {
  auto table = ur::make_matrix<float>(tiny_vocabulary.size(), 3, 0.0F);
  table(5, 0) = 1;  // the
  table(6, 1) = 2;  // cat
  const ur::static_encoder encoder(ur::wordpiece_tokenizer(tiny_vocabulary), table);
  const std::vector<std::string> asked{"the cat", "cat", "", "zzz"};
  const auto x = encoder.encode(asked);
  CHECK(x(0, 0) == Approx(1 / std::sqrt(5.0)));
  CHECK(x(0, 1) == Approx(2 / std::sqrt(5.0)));
  CHECK(x(1, 1) == 1.0F);
  CHECK(dot(ur::row(x, 2), ur::row(x, 2)) == 0);
  CHECK(dot(ur::row(x, 3), ur::row(x, 3)) == 0);
  check_encoder(encoder, ur::static_encoder{});
  CHECK_THROWS_AS(ur::static_encoder{}.encode(asked), ur::not_fitted);
  CHECK_THROWS_AS(ur::static_encoder(ur::wordpiece_tokenizer(tiny_vocabulary), ur::make_matrix<float>(3, 3, 0.0F)),
                  std::invalid_argument);
  table(0, 0) = NAN;
  CHECK_THROWS_AS(ur::static_encoder(ur::wordpiece_tokenizer(tiny_vocabulary), table), std::domain_error);
}

TEST_CASE("a distilled encoder's rows are weighed projections of the transformer's embeddings of single tokens") {
  const temporary_directory folder;
  write_tiny_model(folder.path());
  const auto teacher = ur::read_transformer(folder.path());
  const auto all = ur::distill(teacher, {.dimension = 8, .frequency_scale = 0.01});
  // Distances between rows without weights are those between embeddings: nothing is lost in 8 of 8 dimensions.
  const auto x = teacher.encode_tokens(std::vector<std::vector<std::uint32_t>>{{2, 6, 3}, {2, 10, 3}});
  double harmonic = 0;
  for (std::size_t rank = 1; rank <= tiny_vocabulary.size(); ++rank) harmonic += 1 / static_cast<double>(rank);
  const auto weight = [&](double token) { return 0.01 / (0.01 + 1 / ((token + 1) * harmonic)); };
  double theirs = 0, ours = 0;
  for (std::size_t j = 0; j < 8; ++j) {
    theirs += std::pow(static_cast<double>(x(0, j)) - static_cast<double>(x(1, j)), 2);
    ours += std::pow(
        static_cast<double>(all.table()(6, j)) / weight(6) - static_cast<double>(all.table()(10, j)) / weight(10), 2);
  }
  CHECK(ours == Approx(theirs).epsilon(1e-4));
  check_encoder(ur::distill(teacher, {.dimension = 3}), ur::static_encoder{});
  CHECK_THROWS_AS(ur::distill(teacher, {.dimension = 9}), std::invalid_argument);
  CHECK_THROWS_AS(ur::distill(teacher, {.frequency_scale = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::distill(ur::transformer_encoder{}), ur::not_fitted);
}

TEST_CASE("lsa's directions are the leading right singular vectors, by LAPACK on the dense matrix") {
  ur::random_engine engine(5);
  ur::detail::sparse_rows a;
  a.width = 30;
  auto gram = ur::make_matrix<double>(30, 30, 0.0);
  for (std::size_t i = 0; i < 60; ++i) {
    std::vector<double> dense(30, 0.0);
    for (std::uint32_t c = 0; c < 30; ++c) {
      if (engine.uniform() > 0.2) continue;
      const auto value = static_cast<float>(engine.normal() * std::pow(0.8, c));
      a.columns.push_back(c);
      a.values.push_back(value);
      dense[c] = static_cast<double>(value);
    }
    a.starts.push_back(a.columns.size());
    for (std::size_t r = 0; r < 30; ++r) {
      for (std::size_t c = 0; c < 30; ++c) gram(r, c) += dense[r] * dense[c];
    }
  }
  const auto found = ur::detail::leading_directions(a, 4, 16, 4, 1, 1);
  const auto exact = ur::detail::eigen_decomposition(gram);
  REQUIRE(exact);
  for (std::size_t k = 0; k < 4; ++k) {
    double cosine = 0;
    for (std::size_t c = 0; c < 30; ++c) cosine += found(c, k) * exact->vectors(k, c);
    CHECK(std::fabs(cosine) == Approx(1).epsilon(1e-6));
  }
  CHECK((ur::detail::leading_directions(a, 4, 16, 4, 1, 3) == found));
  // More directions than the matrix has are zero.
  const auto many = ur::detail::leading_directions(a, 40, 16, 4, 1, 1);
  for (std::size_t c = 0; c < 30; ++c) CHECK(many(c, 35) == 0);
}

TEST_CASE("lsa puts texts about one subject together, and agrees with itself") {
  ur::lsa encoder{{.dimension = 3, .longest_ngram = 1}};
  CHECK_THROWS_AS(encoder.encode(texts), ur::not_fitted);
  encoder.fit(texts);
  const auto x = encoder.encode(texts);
  CHECK(dot(ur::row(x, 0), ur::row(x, 2)) > dot(ur::row(x, 0), ur::row(x, 4)) + .3);
  CHECK(dot(ur::row(x, 3), ur::row(x, 5)) > dot(ur::row(x, 3), ur::row(x, 1)) + .3);
  CHECK(dot(ur::row(x, 8), ur::row(x, 8)) == 0);
  check_encoder(encoder, ur::lsa{});
  ur::lsa threaded{{.dimension = 3, .longest_ngram = 1, .threads = 3}};
  threaded.fit(texts);
  CHECK((threaded.encode(texts) == x));
  CHECK_THROWS_WITH(encoder.fit(std::vector<std::string>{"a", "b"}), Catch::Contains("no n-gram occurs in 2 of the 2"));
  CHECK((encoder.encode(texts) == x));
  auto broken = encoder.save();
  broken.set("kept", std::vector<std::uint32_t>{3, 1});
  CHECK_THROWS_AS(encoder.load(broken), ur::format_error);
  // Room is needed for what is kept, not for all buckets that a state of a few bytes may name.
  auto many = encoder.save();
  many.set("buckets", std::uint64_t{1} << 32);
  ur::lsa{}.load(many);
  CHECK_THROWS_AS(ur::lsa({.dimension = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::lsa({.features = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::lsa({.least_prompts = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::lsa({.longest_ngram = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::lsa({.buckets = 0}), std::invalid_argument);
}

TEST_CASE("concatenated: squared distances are the weighted mean of the parts'") {
  ur::concatenated both{ur::hashed_tfidf{{.dimension = 64}}, ur::lsa{{.dimension = 3}}, {.first_share = 0.25}};
  both.fit(texts);
  const auto x = both.encode(texts), a = both.first().encode(texts), b = both.second().encode(texts);
  CHECK(both.dimension() == 67);
  CHECK(dot(ur::row(x, 0), ur::row(x, 2)) ==
        Approx(0.25 * dot(ur::row(a, 0), ur::row(a, 2)) + 0.75 * dot(ur::row(b, 0), ur::row(b, 2))).margin(1e-6));
  check_encoder(both, ur::concatenated<ur::hashed_tfidf, ur::lsa>{});
  using pair = ur::concatenated<ur::hashed_tfidf, ur::lsa>;
  CHECK_THROWS_AS(pair(ur::hashed_tfidf{}, ur::lsa{}, {.first_share = 1}), std::invalid_argument);
  CHECK_THROWS_AS(both.fit(std::vector<std::string>{}), std::invalid_argument);
  CHECK((both.encode(texts) == x));
}

TEST_CASE("projected: axes are orthonormal, and the first has the largest variance") {
  ur::projected few{ur::hashed_tfidf{{.dimension = 32}}, {.dimension = 4}};
  CHECK_THROWS_AS(few.encode(texts), ur::not_fitted);
  few.fit(texts);
  check_encoder(few, ur::projected<ur::hashed_tfidf>{});
  ur::random_engine engine(2);
  auto x = ur::make_matrix<float>(200, 3);
  for (std::size_t i = 0; i < 200; ++i) {
    const double along = 5 * engine.normal();
    x(i, 0) = static_cast<float>(7 + 0.6 * along + 0.1 * engine.normal());
    x(i, 1) = static_cast<float>(0.8 * along + 0.1 * engine.normal());
    x(i, 2) = static_cast<float>(engine.normal());
  }
  const auto found = ur::detail::find_principal_axes(x, 2);
  CHECK(std::fabs(found.axes(0, 0)) == Approx(0.6).margin(0.02));
  CHECK(std::fabs(found.axes(0, 1)) == Approx(0.8).margin(0.02));
  CHECK(std::fabs(found.axes(1, 2)) == Approx(1).margin(0.02));
  CHECK_THROWS_AS(few.fit({}), std::invalid_argument);
  CHECK_THROWS_AS((ur::projected{ur::hashed_tfidf{{.dimension = 2}}, {.dimension = 3}}.fit(texts)),
                  std::invalid_argument);
  CHECK_THROWS_AS((ur::projected{ur::hashed_tfidf{}, {.dimension = 0}}), std::invalid_argument);
}
