// The cheapest capable LLM: by hand, fall-backs, search of thresholds against all of a grid, and what is refused.

#include <catch2/catch.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/capability_rule.hpp>

namespace ur = uniroute;

namespace {

std::size_t choose(const ur::capability_rule& rule, std::vector<double> losses, std::vector<double> costs) {
  return rule.choose({losses, costs});
}

}  // namespace

TEST_CASE("the cheapest LLM that reaches its threshold, else the fall-back") {
  using enum ur::capability_fallback;
  const ur::capability_rule rule({.thresholds = {.7}});
  CHECK(choose(rule, {.5, .3, .1}, {0, 1, 2}) == 1);  // exactly the threshold is capable
  CHECK(choose(rule, {.5, .35, .1}, {0, 1, 2}) == 2);
  CHECK(choose(rule, {.2, .1, .1}, {0, 0, 0}) == 1);  // free LLMs: the better one, then the lower index
  const std::vector<double> bad{.8, .6, .7}, costs{0, 1, 2};
  CHECK(choose(ur::capability_rule({{.7}, most_capable}), bad, costs) == 1);
  CHECK(choose(ur::capability_rule({{.7}, dearest}), bad, costs) == 2);
  CHECK(choose(ur::capability_rule({{.7}, cheapest}), bad, costs) == 0);
  const ur::capability_rule each({.thresholds = {.9, .5, 0}});
  CHECK(choose(each, {.2, .4, .9}, {0, 1, 2}) == 1);
  CHECK(choose(each, {.2, .6, .9}, {0, 1, 2}) == 2);
  CHECK_THROWS_WITH(choose(each, {.2, .6}, {0, 1}), Catch::Contains("thresholds has 3 entries"));
  CHECK_THROWS_WITH(ur::capability_rule({.thresholds = {}}), Catch::Contains("thresholds has 0"));
  CHECK_THROWS_WITH(ur::capability_rule({.thresholds = {1.5}}), Catch::Contains("a threshold is 1.5"));
  // What was saved is what routes.
  ur::capability_rule loaded;
  loaded.load(ur::capability_rule({{.9, .5, 0}, dearest}).save());
  CHECK(loaded.options().thresholds == std::vector<double>{.9, .5, 0});
  CHECK(loaded.options().fallback == dearest);
}

TEST_CASE("along: from only the surest to the cheapest whatever it predicts") {
  const ur::loss_matrix losses{{.5, .1}, {.2, .1}};
  const ur::cost_matrix costs{{0, 1}, {0, 1}};
  const auto steps = ur::capability_rule({{.5}, ur::capability_fallback::dearest}).along(losses, costs);
  CHECK(steps.front().first == 1);
  CHECK(steps.back().first == 0);
  CHECK(choose(steps.front().second, {.5, .1}, {0, 1}) == 1);
  CHECK(choose(steps.back().second, {.5, .1}, {0, 1}) == 0);
  CHECK(steps.front().second.options().fallback == ur::capability_fallback::dearest);
  for (std::size_t i = 1; i < steps.size(); ++i) CHECK(steps[i].first < steps[i - 1].first);
}

TEST_CASE("fitted thresholds are no worse than any of the grid, one at a time, and near the best of all") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    ur::random_engine draws(seed);
    const std::size_t n = 60, m = 2;
    auto predicted = ur::make_matrix<double>(n, m), losses = predicted, costs = predicted;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < m; ++h) {
        predicted(i, h) = draws.uniform();
        losses(i, h) = draws.uniform() < predicted(i, h) ? 1 : 0;
        costs(i, h) = static_cast<double>(h) * .3;
      }
    }
    const auto value = [&](const ur::capability_rule& rule) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t h = rule.choose({ur::row(predicted, i), ur::row(costs, i)});
        sum += losses(i, h) + costs(i, h);
      }
      return sum / n;
    };
    const auto fitted = ur::fit_capability_thresholds(predicted, losses, costs, 1, 10);
    double best = 9;
    for (int a = 0; a <= 10; ++a) {
      for (int b = 0; b <= 10; ++b) best = std::min(best, value(ur::capability_rule({{a / 10., b / 10.}, {}})));
      CHECK(value(fitted) <= value(ur::capability_rule({{a / 10., fitted.options().thresholds[1]}, {}})) + 1e-12);
    }
    CHECK(value(fitted) <= best + .05);
  }
  const auto one = ur::make_matrix<double>(1, 2, .5), other = ur::make_matrix<double>(1, 1, .5);
  CHECK_THROWS_WITH(ur::fit_capability_thresholds(one, other, one, 1), Catch::Contains("losses 1 x 1"));
  CHECK_THROWS_WITH(ur::fit_capability_thresholds(one, one, one, 1, 1), Catch::Contains("grid is 1"));
  CHECK_THROWS_WITH(ur::fit_capability_thresholds(one, one, one, -1), Catch::Contains("lambda is -1"));
}
