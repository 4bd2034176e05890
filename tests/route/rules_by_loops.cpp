// Rules, their margins and cost policies beside their definitions in plain loops, and at their borders.

#include <catch2/catch.hpp>
#include <limits>
#include <support/reference/bounds.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

struct pool {
  std::vector<double> losses, costs;
};

pool drawn(std::uint64_t seed) {
  ur::random_engine engine(seed);
  pool out;
  const std::size_t m = 1 + engine.below(5);
  for (std::size_t h = 0; h < m; ++h) {
    out.losses.push_back(static_cast<double>(engine.below(9)) / 8);
    out.costs.push_back(static_cast<double>(engine.below(4)) / 4);
  }
  return out;
}

/// The largest common change of the predicted losses, each up or down, that cannot move the choice of `rule`: half of
/// what separates the least objective from the next.
double margin_at(const pool& p, double lambda) {
  if (p.losses.size() == 1) return std::numeric_limits<double>::infinity();
  std::vector<double> objectives;
  for (std::size_t h = 0; h < p.losses.size(); ++h) objectives.push_back(p.losses[h] + lambda * p.costs[h]);
  std::sort(objectives.begin(), objectives.end());
  return (objectives[1] - objectives[0]) / 2;
}

std::size_t choice_at(const pool& p, double lambda) { return reference::choices_at({p.losses}, {p.costs}, lambda)[0]; }

ur::candidates<> seen(const pool& p, std::uint64_t key = 0) { return {p.losses, p.costs, key}; }

}  // namespace

TEST_CASE("rules choose the least objective and know how safe the choice is") {
  std::size_t ties = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const pool p = drawn(seed);
    double dearest = 0;
    for (const double c : p.costs) dearest = std::max(dearest, c);
    for (const double lambda : {0.0, .5, 2.0}) {
      const ur::lagrangian_rule rule{{.lambda = lambda}}, relative{{.lambda = lambda, .normalise_costs = true}};
      CHECK(rule.choose(seen(p)) == choice_at(p, lambda));
      CHECK(rule.margin(seen(p)) == Approx(margin_at(p, lambda)));
      const double scaled = dearest > 0 ? lambda / dearest : 0;
      CHECK(relative.choose(seen(p)) == choice_at(p, scaled));
      CHECK(relative.margin(seen(p)) == Approx(margin_at(p, scaled)).margin(1e-12));
      ties += margin_at(p, lambda) == 0 ? 1u : 0u;
    }
    CHECK(ur::best_quality_rule{}.choose(seen(p)) == choice_at(p, 0));
    CHECK(ur::best_quality_rule{}.margin(seen(p)) == Approx(margin_at(p, 0)));
  }
  CHECK(ties > 50);
  for (const double bad : {-1e-300, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    CHECK_THROWS_AS(ur::lagrangian_rule({.lambda = bad}), std::invalid_argument);
  // Where nothing costs anything, normalised prices weigh nothing.
  const pool free{{.5, .25}, {0, 0}};
  CHECK(ur::lagrangian_rule{{.lambda = 1, .normalise_costs = true}}.choose(seen(free)) == 1);
}

TEST_CASE("a budget rule draws between the two choices around its budget, and its margin is that of either") {
  std::size_t differ = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t n = 20, m = 3;
    auto losses = ur::make_matrix<double>(n, m), costs = losses;
    for (double& v : losses) v = engine.uniform();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < m; ++h) costs(i, h) = .1 + static_cast<double>(h) * (.5 + engine.uniform());
    }
    const auto mean_at = [&](double lambda) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const pool p{{ur::row(losses, i).begin(), ur::row(losses, i).end()},
                     {ur::row(costs, i).begin(), ur::row(costs, i).end()}};
        sum += p.costs[choice_at(p, lambda)] / static_cast<double>(n);
      }
      return sum;
    };
    const double budget = .1 + (mean_at(0) - .1) * engine.uniform();
    ur::budget_rule rule{{.budget = budget, .seed = seed}};
    rule.calibrate(losses, costs);
    const double above = mean_at(std::nextafter(rule.lambda(), 0)), below = mean_at(rule.lambda());
    CHECK(below <= budget * (1 + 1e-12));
    CHECK(above > budget);
    CHECK(rule.dear_share() * above + (1 - rule.dear_share()) * below == Approx(budget));
    CHECK(rule.slack() == 0);
    for (std::size_t i = 0; i < n; ++i) {
      const pool p{{ur::row(losses, i).begin(), ur::row(losses, i).end()},
                   {ur::row(costs, i).begin(), ur::row(costs, i).end()}};
      const double low = std::nextafter(rule.lambda(), 0);
      CHECK(rule.margin(seen(p)) == Approx(std::min(margin_at(p, low), margin_at(p, rule.lambda()))).margin(1e-12));
      const bool dear = ur::to_uniform(ur::derive_seed(seed, i)) < rule.dear_share();
      CHECK(rule.choose(seen(p, i)) == choice_at(p, dear ? low : rule.lambda()));
      differ += choice_at(p, low) != choice_at(p, rule.lambda()) ? 1u : 0u;
    }
  }
  CHECK(differ > 10);
  // Of two prices far apart, as a state may hold them, the margin is the lesser of the two.
  {
    auto state = [] {
      ur::budget_rule any{{.budget = 5}};
      any.calibrate(ur::make_matrix<double>(1, 2, .5), ur::make_matrix<double>(1, 2, 1.0));
      return any.save();
    }();
    state.set("low", 0.0);
    state.set("high", 10.0);
    ur::budget_rule apart{{.budget = 5}};
    apart.load(state);
    const pool near_at_low{{.5, .4}, {0, 1}}, near_at_high{{.5, .4}, {.009, 0}};
    CHECK(apart.margin(seen(near_at_low)) == Approx(margin_at(near_at_low, 0)));
    CHECK(margin_at(near_at_low, 0) < margin_at(near_at_low, 10));
    CHECK(apart.margin(seen(near_at_high)) ==
          Approx(std::min(margin_at(near_at_high, 0), margin_at(near_at_high, 10))));
  }
  // The margin is the lesser of two prices far apart, where calibration left them so.
  auto one = ur::make_matrix<double>(1, 2, 0.0), paid = one;
  one(0, 0) = .5;
  paid(0, 1) = 1;
  ur::budget_rule wide{{.budget = .5}};
  wide.calibrate(one, paid);
  const pool p{{.9, .1}, {0, 1}};
  CHECK(wide.margin(seen(p)) ==
        Approx(std::min(margin_at(p, std::nextafter(wide.lambda(), 0)), margin_at(p, wide.lambda()))));
}

TEST_CASE("a threshold is met by a gain that equals it") {
  const std::vector<double> losses{.75, .5}, costs{1, 2}, swapped{2, 1};
  for (const auto& [threshold, expected] : {std::pair{.25, 1}, {.2500001, 0}, {.2, 1}, {1.0, 0}, {-1.0, 1}}) {
    const ur::threshold_rule rule{{.threshold = threshold}};
    CHECK(rule.choose(ur::candidates<2>{std::span<const double, 2>(losses), std::span<const double, 2>(costs), 0}) ==
          static_cast<std::size_t>(expected));
    CHECK(rule.margin(ur::candidates<2>{std::span<const double, 2>(losses), std::span<const double, 2>(costs), 0}) ==
          Approx(std::fabs(.25 - threshold) / 2));
  }
  // With the costs the other way round the first is the dearer, and gains -.25.
  CHECK(ur::threshold_rule{{.threshold = -.25}}.choose(
            ur::candidates<2>{std::span<const double, 2>(losses), std::span<const double, 2>(swapped), 0}) == 0);
  CHECK(ur::threshold_rule{{.threshold = -.2}}.choose(
            ur::candidates<2>{std::span<const double, 2>(losses), std::span<const double, 2>(swapped), 0}) == 1);
  CHECK_THROWS_AS(ur::threshold_rule({.threshold = 1.01}), std::invalid_argument);
  auto bad = ur::threshold_rule{}.save();
  bad.set("options/threshold", 1.5);
  ur::threshold_rule rule{{.threshold = .5}};
  CHECK_THROWS_AS(rule.load(bad), ur::format_error);
  CHECK(rule.options().threshold == .5);
}

TEST_CASE("cell costs are means in cells, pulled to the mean of all, hard and soft") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t n = 24;
    auto x = ur::make_matrix<float>(n, 1), asked = ur::make_matrix<float>(3, 1);
    for (std::size_t i = 0; i < n; ++i) x(i, 0) = static_cast<float>(i % 3 * 10) + static_cast<float>(engine.uniform());
    for (std::size_t i = 0; i < 3; ++i) asked(i, 0) = static_cast<float>(i * 10);
    const auto run = [&](auto map, double strength) {
      ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 3}}, map, ur::cell_mean{},
                        ur::best_quality_rule{},      ur::cell_cost{strength}};
      router.fit(x);
      // The validation prompts leave the third clump empty.
      auto validation = ur::make_matrix<float>(10, 1);
      for (std::size_t i = 0; i < 10; ++i) validation(i, 0) = static_cast<float>(i % 2 * 10);
      router.set_validation(validation);
      std::vector<double> losses(10, .5), costs, others;
      for (std::size_t i = 0; i < 10; ++i) {
        costs.push_back(engine.uniform());
        others.push_back(1 + engine.uniform());
      }
      router.enroll("a", losses, costs);
      router.enroll("b", losses, others);
      router.enroll("c", losses, 7.0);
      const auto phi = ur::memberships(router.predictor_policy().map(), validation),
                 at = ur::memberships(router.predictor_policy().map(), asked);
      const auto expected = [&](const std::vector<double>& of, std::size_t row) {
        double mean = 0, out = 0;
        for (const double c : of) mean += c / 10;
        for (std::size_t k = 0; k < 3; ++k) {
          double weight = strength, sum = strength * mean;
          for (std::size_t i = 0; i < 10; ++i) {
            weight += phi(i, k);
            sum += phi(i, k) * of[i];
          }
          out += at(row, k) * (weight > 0 ? sum / weight : mean);
        }
        return out;
      };
      auto estimated = router.estimate_costs(asked);
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(estimated(i, 0) == Approx(expected(costs, i)));
        CHECK(estimated(i, 1) == Approx(expected(others, i)));
        CHECK(estimated(i, 2) == Approx(7));
      }
      CHECK(router.costs().cells() == 3);
      auto copy = router;
      copy.retire("a");
      copy.reprice("b", 3);
      estimated = copy.estimate_costs(asked);
      CHECK(estimated(2, 0) == Approx(3));
      CHECK(estimated(0, 1) == Approx(7));
      // Profiles of other numbers of cells, or below 0, are no state of it.
      for (const bool shape : {true, false}) {
        auto bad = router.save();
        bad.set("costs/profiles", shape ? ur::make_matrix<double>(3, 2, .5) : ur::make_matrix<double>(3, 3, -.5));
        CHECK_THROWS_AS(copy.load(bad), ur::format_error);
      }
      copy.load(router.save());
      CHECK((copy.save() == router.save()));
    };
    for (const double strength : {0.0, 2.0, 5.0}) {
      run(ur::nearest_map{}, strength);
      run(ur::proximity_map{{.relative_bandwidth = 30}}, strength);
    }
  }
  CHECK_THROWS_AS(ur::cell_cost(-1), std::invalid_argument);
}
