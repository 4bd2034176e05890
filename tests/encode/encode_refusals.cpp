// What encoders refuse, and features that are dropped.

#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

const std::vector<std::string> texts{"one two three", "one two",   "one",
                                     "four five six", "four five", "one two three four"};

template <class Policy, class Value>
void refused(const Policy& policy, const char* name, Value value) {
  INFO(name);
  auto bad = policy.save();
  bad.set(name, value);
  Policy copy = policy;
  CHECK_THROWS_AS(copy.load(bad), ur::format_error);
  CHECK((copy.save() == policy.save()));
}

}  // namespace

TEST_CASE("lsa keeps the commonest n-grams where there are more than it may") {
  // Texts with the word: one 4, two 3, four 3, three 2, five 2, six 1. Of single words the first three are kept.
  ur::lsa few{{.dimension = 3, .features = 3, .least_prompts = 1, .longest_ngram = 1}};
  few.fit(texts);
  const auto kept = few.save().get<std::vector<std::uint32_t>>("kept");
  CHECK(kept.size() == 3);
  const auto x = few.encode(std::vector<std::string>{"one", "two", "four", "three", "five", "six"});
  for (std::size_t i = 0; i < 6; ++i) {
    double square = 0;
    for (std::size_t d = 0; d < 3; ++d) square += static_cast<double>(x(i, d)) * static_cast<double>(x(i, d));
    CHECK(square == Approx(i < 3 ? 1 : 0).margin(1e-5));  // what is not kept is no word
  }
  CHECK_THROWS_AS(few.fit(std::vector<std::string>{}), std::invalid_argument);
  ur::lsa rare{{.dimension = 2, .least_prompts = 5, .longest_ngram = 1}};
  CHECK_THROWS_WITH(rare.fit(texts), Contains("no n-gram occurs in 5 of the 6 prompts"));
  CHECK_THROWS_AS(ur::lsa({.dimension = 0}), std::invalid_argument);
  refused(few, "kept", std::vector<std::uint32_t>{3, 2, 5});
  refused(few, "kept", std::vector<std::uint32_t>{1, 2});
  refused(few, "weights", std::vector<double>{1, 2});
  refused(few, "buckets", std::uint64_t{0});
  refused(few, "buckets", std::uint64_t{1});  // no kept bucket lies below
  refused(few, "buckets", (std::uint64_t{1} << 32) + 1);
  refused(few, "longest_ngram", std::uint64_t{0});
  refused(few, "directions", ur::make_matrix<float>(2, 3, 0.0F));
  refused(few, "directions", ur::make_matrix<float>(3, 0));
}

TEST_CASE("hashed tf-idf refuses sizes, and states that are none") {
  CHECK_THROWS_AS(ur::hashed_tfidf({.dimension = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::hashed_tfidf({.dimension = 65537}), std::invalid_argument);
  CHECK_THROWS_AS(ur::hashed_tfidf({.buckets = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::hashed_tfidf({.longest_ngram = 0}), std::invalid_argument);
  CHECK_NOTHROW(ur::hashed_tfidf{{.dimension = 1, .buckets = 1, .longest_ngram = 1}});
  ur::hashed_tfidf encoder{{.dimension = 8, .buckets = 64}};
  CHECK_THROWS_AS(encoder.encode(texts), ur::not_fitted);
  CHECK_THROWS_AS(encoder.save(), ur::not_fitted);
  encoder.fit(texts);
  refused(encoder, "dimension", std::uint64_t{0});
  refused(encoder, "dimension", std::uint64_t{65537});
  refused(encoder, "longest_ngram", std::uint64_t{0});
  refused(encoder, "prompts", std::uint64_t{0});
  refused(encoder, "prompts", std::uint64_t{2});  // some word is in more
  refused(encoder, "document_frequencies", std::vector<std::uint32_t>{});
}

TEST_CASE("projected and concatenated encoders refuse axes and shares that do not fit") {
  ur::projected<ur::hashed_tfidf> projected{ur::hashed_tfidf{{.dimension = 8, .buckets = 64}}, {.dimension = 2}};
  CHECK_THROWS_AS(projected.save(), ur::not_fitted);
  projected.fit(texts);
  CHECK(projected.dimension() == 2);
  refused(projected, "axes", ur::make_matrix<float>(2, 7, 0.0F));
  refused(projected, "axes", ur::make_matrix<float>(0, 8));
  refused(projected, "axes", ur::make_matrix<float>(9, 8, 0.0F));
  refused(projected, "mean", ur::make_matrix<float>(1, 7, 0.0F));
  auto both = projected.save();
  both.set("axes", ur::make_matrix<float>(2, 7, 0.0F));
  both.set("mean", ur::make_matrix<float>(1, 7, 0.0F));  // fits itself, but not the encoder
  CHECK_THROWS_AS(projected.load(both), ur::format_error);
  using pair = ur::concatenated<ur::hashed_tfidf, ur::hashed_tfidf>;
  for (const double bad : {0.0, 1.0, -.5})
    CHECK_THROWS_AS(pair(ur::hashed_tfidf{}, ur::hashed_tfidf{}, {.first_share = bad}), std::invalid_argument);
  pair side{ur::hashed_tfidf{{.dimension = 8, .buckets = 64}},
            ur::hashed_tfidf{{.dimension = 4, .buckets = 64}},
            {.first_share = .25}};
  side.fit(texts);
  refused(side, "options/first_share", 1.0);
  refused(side, "options/first_share", 0.0);
}
