#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

ur::candidates<> seen(const std::vector<double>& losses, const std::vector<double>& costs, std::uint64_t key = 0) {
  return {losses, costs, key};
}

/// All λ that matter, by brute force: the best mean loss of a λ-rule mixture whose mean cost is at most `budget`.
double brute_force_loss(const ur::loss_matrix& losses, const ur::cost_matrix& costs, double budget) {
  const auto curve = ur::trace_curve(losses, costs, losses, costs);
  double best = 2;
  for (const auto& a : curve.points) {
    for (const auto& b : curve.points) {
      if (a.cost > budget || b.cost < budget) continue;
      const double t = b.cost > a.cost ? (budget - a.cost) / (b.cost - a.cost) : 0;
      best = std::min(best, 1 - (a.quality + t * (b.quality - a.quality)));
    }
  }
  return best;
}

}  // namespace

TEST_CASE("the Lagrangian rule takes the least objective, ties to the lower cost, then to the lower index") {
  const ur::lagrangian_rule rule{{.lambda = 0.5}};
  CHECK(rule.choose(seen({0.1, 0.4}, {1.0, 0.2})) == 1);
  CHECK(rule.choose(seen({0.1, 0.5}, {1.0, 0.25})) == 0);
  CHECK(rule.choose(seen({0.25, 0.5}, {1.0, 0.5})) == 1);
  CHECK(rule.choose(seen({0.3, 0.3}, {1.0, 1.0})) == 0);
  CHECK(rule.margin(seen({0.1, 0.5}, {1.0, 0.25})) == Approx(0.0125));
  CHECK_THROWS_AS(ur::lagrangian_rule({.lambda = -1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::lagrangian_rule({.lambda = std::nan("")}), std::invalid_argument);
}

TEST_CASE("normalised costs make lambda free of currency") {
  const ur::lagrangian_rule rule{{.lambda = 0.5, .normalise_costs = true}};
  for (const double currency : {1e-6, 1.0, 1e6})
    CHECK(rule.choose(seen({0.1, 0.4}, {1.0 * currency, 0.2 * currency})) == 1);
  CHECK(rule.choose(seen({0.1, 0.4}, {0.0, 0.0})) == 0);
}

TEST_CASE("the budget rule meets its budget in expectation, at the best loss that any mixture reaches") {
  ur::random_engine draws(5);
  auto losses = ur::make_matrix<double>(40, 4);
  auto costs = ur::make_matrix<double>(40, 4);
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t h = 0; h < 4; ++h) {
      losses(i, h) = static_cast<double>(draws.below(5)) / 4;  // many ties
      costs(i, h) = static_cast<double>(1 + h * h);
    }
  }
  for (const double budget : {1.0, 1.3, 2.0, 3.3}) {
    ur::budget_rule rule{{.budget = budget, .seed = 9}};
    rule.calibrate(losses, costs);
    double low = 0, high = 0, low_loss = 0, high_loss = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      // Two rules of which the draw takes one: their mean costs enclose the budget.
      const auto dear =
          ur::detail::least_objective(ur::row(losses, i), ur::row(costs, i), std::nextafter(rule.lambda(), 0.0));
      const auto cheap = ur::detail::least_objective(ur::row(losses, i), ur::row(costs, i), rule.lambda());
      high += costs(i, dear) / 40;
      low += costs(i, cheap) / 40;
      high_loss += losses(i, dear) / 40;
      low_loss += losses(i, cheap) / 40;
    }
    const double p = rule.dear_share();
    if (rule.slack() == 0) {
      CHECK(p * high + (1 - p) * low == Approx(budget).epsilon(1e-12));
      CHECK(p * high_loss + (1 - p) * low_loss == Approx(brute_force_loss(losses, costs, budget)).epsilon(1e-9));
    }
    // The draws themselves: within four standard deviations of B over many keys.
    double sum = 0;
    const std::size_t draws_per_prompt = 500;
    for (std::size_t i = 0; i < 40; ++i) {
      for (std::size_t d = 0; d < draws_per_prompt; ++d)
        sum += costs(i, rule.choose({ur::row(losses, i), ur::row(costs, i), i * draws_per_prompt + d}));
    }
    const double mean = sum / (40.0 * draws_per_prompt);
    CHECK(std::fabs(mean - (budget - rule.slack())) <=
          4 * (high - low) * 0.5 * std::sqrt(1.0 / (40 * draws_per_prompt)) * std::sqrt(40.0) + 1e-9);
  }
}

TEST_CASE("a budget above all needs is spent at lambda 0, and one below the cheapest is refused") {
  auto losses = ur::make_matrix<double>(2, 2, 0.5);
  losses(0, 1) = 0.1;
  auto costs = ur::make_matrix<double>(2, 2, 1.0);
  costs(0, 1) = costs(1, 1) = 3;
  ur::budget_rule rich{{.budget = 10}};
  rich.calibrate(losses, costs);
  CHECK(rich.lambda() == 0);
  CHECK(rich.slack() == 8);
  CHECK(rich.choose({ur::row(losses, 0), ur::row(costs, 0), 1}) == 1);
  CHECK(rich.choose({ur::row(losses, 1), ur::row(costs, 1), 1}) == 0);
  ur::budget_rule poor{{.budget = 0.5}};
  CHECK_THROWS_WITH(poor.calibrate(losses, costs), Catch::Contains("budget is 0.5, but must be at least 1"));
  CHECK_THROWS_AS(poor.choose({ur::row(losses, 0), ur::row(costs, 0), 1}), ur::not_fitted);
  CHECK_THROWS_AS(ur::budget_rule({.budget = -1}), std::invalid_argument);
}

TEST_CASE("the draw of the budget rule is a function of the prompt and the seed") {
  auto losses = ur::make_matrix<double>(1, 2, 0.0);
  losses(0, 0) = 1;
  auto costs = ur::make_matrix<double>(1, 2, 0.0);
  costs(0, 1) = 1;
  ur::budget_rule rule{{.budget = 0.5}};
  rule.calibrate(losses, costs);
  std::size_t dear = 0;
  for (std::uint64_t key = 0; key < 1000; ++key) {
    const auto choice = rule.choose({ur::row(losses, 0), ur::row(costs, 0), key});
    CHECK(choice == rule.choose({ur::row(losses, 0), ur::row(costs, 0), key}));
    dear += choice;
  }
  CHECK(dear > 500 - 64);  // four standard deviations of a fair coin
  CHECK(dear < 500 + 64);
}

TEST_CASE("the threshold rule asks the dearer model where it gains enough, in a pool of two only") {
  const ur::threshold_rule rule{{.threshold = 0.2}};
  const std::vector<double> costs{5, 1}, gain{0.1, 0.4}, little{0.3, 0.4};
  CHECK(rule.choose({std::span<const double, 2>(gain), std::span<const double, 2>(costs), 0}) == 0);
  CHECK(rule.choose({std::span<const double, 2>(little), std::span<const double, 2>(costs), 0}) == 1);
  auto x = ur::make_matrix<float>(2, 1, 1.0F);
  x(1, 0) = 0;
  ur::router router{ur::precomputed_embeddings{}, ur::single_cluster{}, ur::nearest_map{}, ur::cell_mean{},
                    ur::best_quality_rule{}};
  router.fit(x);
  router.set_validation(x);
  router.enroll("weak", std::vector<double>{1, 0}, 1.0);
  CHECK_THROWS_WITH(ur::fix_pool<2>(router, rule), Catch::Contains("the pool has 1 models, but must have exactly 2"));
  router.enroll("strong", std::vector<double>{0, 0}, 5.0);
  const auto two = ur::fix_pool<2>(router, rule);
  CHECK(two.route(ur::row(x, 0)).model == "strong");
  CHECK(two.pool().models == std::array<std::string, 2>{"strong", "weak"});
  static_assert(!ur::routing_rule<ur::threshold_rule>);
}
