// Labels of the weakest capable LLM, censored outcomes, and methods that learn from labels: by hand.

#include <catch2/catch.hpp>
#include <uniroute/experiment/label_sources.hpp>
#include <uniroute/experiment/relabelled.hpp>

namespace ur = uniroute;

TEST_CASE("the weakest capable LLM, and what a cascade leaves of outcomes") {
  const std::vector<double> costs{2, 0, 1};  // weakest first: 1, 2, 0
  const double none = ur::missing;
  const ur::loss_matrix outcomes{{0, 1, 1}, {1, 1, 0}, {1, 0, 1}, {none, none, .4}, {none, none, none}};
  const auto labels = ur::weakest_capable_labels(outcomes, costs);
  const double expected[5][3] = {{0, 1, 1}, {0, 1, 0}, {0, 0, 0}, {.4, none, .4}, {none, none, none}};
  const auto censored = ur::censored_outcomes(outcomes, costs);
  const double left[5][3] = {{0, 1, 1}, {none, 1, 0}, {none, 0, none}, {none, none, .4}, {none, none, none}};
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t h = 0; h < 3; ++h) {
      CHECK(ur::is_missing(labels(i, h)) == ur::is_missing(expected[i][h]));
      if (!ur::is_missing(expected[i][h])) CHECK(labels(i, h) == expected[i][h]);
      CHECK(ur::is_missing(censored(i, h)) == ur::is_missing(left[i][h]));
      if (!ur::is_missing(left[i][h])) CHECK(censored(i, h) == left[i][h]);
    }
  }
  // A log that is censored shows the weakest capable LLM as well as all outcomes do.
  const auto from_log = ur::weakest_capable_labels(censored, costs);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t h = 0; h < 3; ++h) {
      if (!ur::is_missing(labels(i, h))) CHECK(from_log(i, h) == labels(i, h));
    }
  }
  // Graded: what is good enough ends the cascade.
  CHECK(ur::is_missing(ur::censored_outcomes(outcomes, costs, .6)(3, 0)));
  CHECK_THROWS_WITH(ur::weakest_capable_labels(outcomes, std::vector<double>{1}), Catch::Contains("costs has 1"));
  CHECK_THROWS_WITH(ur::censored_outcomes(outcomes, std::vector<double>{1}), Catch::Contains("costs has 1"));
}

TEST_CASE("a relabelled method sees labels where it learns, and the same trial else") {
  ur::trial_data t;
  t.seen = {"a"};
  t.unseen = {"b", "c"};
  t.train_losses = ur::loss_matrix{{0}, {1}};
  t.validation_losses = ur::loss_matrix{{0, 1}};
  t.clairvoyant_losses = ur::loss_matrix{{0, 1}, {1, 0}};
  std::vector<double> seen;
  const ur::routing_method spy{"spy", [&](const ur::trial_data& trial) {
                                 seen = {trial.train_losses(0, 0), trial.train_losses(1, 0),
                                         trial.validation_losses(0, 0), trial.validation_losses(0, 1),
                                         trial.clairvoyant_losses(0, 0)};
                                 return ur::prediction{};
                               }};
  const auto flipped = ur::relabelled(
      "flipped", spy,
      [](const ur::prompt_records&, const std::vector<std::string>& models, const ur::loss_matrix& outcomes) {
        ur::loss_matrix out = outcomes;
        for (double& v : out) v = 1 - v;
        CHECK(models.size() == ur::columns(outcomes));
        return out;
      });
  CHECK(flipped.name == "flipped");
  flipped.predict(t);
  CHECK(seen == std::vector<double>{1, 0, 1, 0, 0});
  CHECK(t.train_losses(0, 0) == 0);
  const auto wrong = ur::relabelled(
      "wrong", spy, [](const ur::prompt_records&, const std::vector<std::string>&, const ur::loss_matrix&) {
        return ur::make_matrix<double>(9, 9, 0.0);
      });
  CHECK_THROWS_WITH(wrong.predict(t), Catch::Contains("labels are 9 x 9"));
}
