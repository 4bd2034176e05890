// Several answers to one prompt: clusters, entropies and preferences by hand.

#include <catch2/catch.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/score/score.hpp>

namespace ur = uniroute;
using answers = std::vector<std::optional<std::string>>;
using counts = std::vector<std::size_t>;

TEST_CASE("answers are equal by text, once normalised, or near in an encoder's space") {
  const ur::exact_answers exact;
  CHECK(exact.same("18", "18"));
  CHECK(!exact.same("18", "18."));
  const ur::normalised_answers normal;
  CHECK(normal.same(" The Answer. ", "the  answer"));
  CHECK(normal.same("(18)", "18"));
  CHECK(!normal.same("-18", "18"));
  CHECK(!normal.same("$18", "18"));
  CHECK(normal.same("Zürich", "Zürich!"));
  CHECK(!normal.same("a b", "ab"));
  CHECK(normal.same("", "  ...  "));
  ur::hashed_tfidf encoder{{.dimension = 64}};
  encoder.fit(std::vector<std::string>{"the cat sat", "a dog ran away", "eighteen"});
  const ur::embedded_answers near(encoder, .9);
  CHECK(near.same("the cat sat", "the cat sat"));
  CHECK(!near.same("the cat sat", "a dog ran away"));
  CHECK_THROWS_WITH(ur::embedded_answers(encoder, 2), Catch::Contains("least is 2"));
}

TEST_CASE("clusters count in the order in which they appear; answers without text agree with nothing") {
  const answers all{"18", "18.", std::nullopt, "20", std::nullopt, "18"};
  CHECK(ur::meaning_clusters(std::span(all)) == counts{3, 1, 1, 1});
  CHECK(ur::meaning_clusters(std::span(all), ur::exact_answers{}) == counts{2, 1, 1, 1, 1});
}

TEST_CASE("entropies and agreement by hand") {
  const counts one{5}, two{3, 1}, all_apart{1, 1, 1, 1};
  CHECK(ur::semantic_entropy(one) == 0);
  CHECK(ur::predictive_entropy(one) == 0);
  CHECK(ur::self_consistency(one) == 1);
  CHECK(ur::semantic_entropy(two) == Approx(-(std::log(.75) + std::log(.25)) / 2));
  CHECK(ur::predictive_entropy(two) == Approx(-(.75 * std::log(.75) + .25 * std::log(.25))));
  CHECK(ur::self_consistency(two) == Approx(.75));
  CHECK(ur::semantic_entropy(all_apart) == Approx(std::log(4)));
  CHECK(ur::predictive_entropy(all_apart) == Approx(std::log(4)));
  CHECK_THROWS_WITH(ur::semantic_entropy({}), Catch::Contains("clusters has 0"));
  CHECK_THROWS_WITH(ur::predictive_entropy({}), Catch::Contains("clusters has 0"));
  CHECK_THROWS_WITH(ur::self_consistency({}), Catch::Contains("clusters has 0"));
}

TEST_CASE("the surer LLM is preferred where the difference passes tau") {
  using enum ur::preference;
  CHECK(ur::prefer_by_confidence(1, .4, .5) == weak);  // |1 - .4| / 1 = .6
  CHECK(ur::prefer_by_confidence(1, .5, .5) == tie);   // not above τ
  CHECK(ur::prefer_by_confidence(1, 1.6, .5) == strong);
  CHECK(ur::prefer_by_confidence(.2, .25, .2) == strong);
  CHECK(ur::prefer_by_confidence(.2, .25, .3) == tie);
  // Where the strong LLM is perfectly sure there is no ratio.
  CHECK(ur::prefer_by_confidence(0, 0, 0) == tie);
  CHECK(ur::prefer_by_confidence(0, .1, 9) == strong);
  CHECK_THROWS_WITH(ur::prefer_by_confidence(1, 1, -1), Catch::Contains("tau is -1"));
  CHECK_THROWS_AS(ur::prefer_by_confidence(-1, 1, 0), std::domain_error);
}

TEST_CASE("recorded scores are found by prompt and LLM, and judge answers") {
  ur::recorded_scores scores;
  scores.set("p1", "a", .3);
  scores.set("p1", "b", -2);
  scores.set("p1", "a", .4);  // again
  CHECK(scores.size() == 2);
  CHECK(scores.at("p1", "a") == .4);
  CHECK(scores.at("p1", "b") == -2);
  CHECK(ur::is_missing(scores.at("p2", "a")));
  const ur::loss_matrix losses{{0, 1}, {0, 1}};
  const auto judged = ur::judge_answers(scores, losses, {ur::hash_text("p2"), ur::hash_text("p1")}, {"b", "a"});
  CHECK(ur::is_missing(judged(0, 0)));
  CHECK(judged(1, 0) == -2);
  CHECK(judged(1, 1) == .4);
  CHECK_THROWS_WITH(scores.set("p", "m", ur::missing), Catch::Contains("is nan"));
}
