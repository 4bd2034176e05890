// Certificates, guards and plans at their borders: ties, the last price of a grid, a cost that is just too large.

#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

ur::routing_table two_cells(std::size_t n, const std::string& prefix, std::vector<std::string> names, bool differ) {
  ur::routing_table_parts parts;
  parts.name = "two cells";
  const std::size_t m = names.size();
  for (auto& name : names) parts.models.push_back({.name = std::move(name)});
  parts.losses = ur::make_matrix<double>(n, m);
  parts.costs = ur::make_matrix<double>(n, m, 1.0);
  parts.embeddings = ur::make_matrix<float>(n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(prefix + std::to_string(i));
    parts.embeddings(i, 0) = i % 2 == 0 ? 0.0F : 9.0F;
    for (std::size_t h = 0; h < m; ++h)
      parts.losses(i, h) = differ ? static_cast<double>((i / 2 + h) % 3 == 0) : static_cast<double>(i % 4 < 2);
  }
  return ur::routing_table(std::move(parts));
}

auto router_of(ur::lagrangian_rule_options rule) {
  return ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 2}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{rule}};
}

}  // namespace

TEST_CASE("where LLMs tie a certificate is of the choice that the router makes, whatever the order of enrolment") {
  for (const auto& order : std::vector<std::vector<std::string>>{{"b", "a", "c"}, {"c", "b", "a"}, {"a", "c", "b"}}) {
    auto router = router_of({.lambda = .1});
    router.fit(two_cells(40, "train ", {"a", "b", "c"}, false));
    const auto validation = two_cells(24, "validation ", {"a", "b", "c"}, false);
    router.enroll(validation, order);
    for (const auto& name : order) router.reprice(name, .5);
    const auto sample = two_cells(30, "sample ", {"c", "b", "a"}, false);
    const auto c = ur::certify<ur::hoeffding>(router, sample, ur::confidence_level{.9});
    const auto choices = router.route(sample.embeddings());
    const auto labels = router.predictor_policy().map().labels(sample.embeddings());
    for (std::size_t i = 0; i < 30; ++i) {
      CHECK(c.choices[labels[i]] == choices[i]);
      CHECK(router.models()[choices[i]] == "a");  // the first of the alphabet
    }
  }
}

TEST_CASE("certificates refuse normalised costs and say when they are asymptotic") {
  auto router = router_of({.lambda = .1, .normalise_costs = true});
  router.fit(two_cells(40, "train ", {"a", "b", "c"}, true));
  const auto sample = two_cells(30, "sample ", {"a", "b", "c"}, true),
             other = two_cells(30, "other ", {"a", "b", "c"}, true);
  router.enroll(two_cells(24, "validation ", {"a", "b", "c"}, true), {"a", "b"});
  router.reprice("a", 1);
  router.reprice("b", 2);
  CHECK_THROWS_WITH(ur::certify<ur::hoeffding>(router, sample, ur::confidence_level{.9}),
                    Catch::Contains("normalised"));
  CHECK_THROWS_WITH(ur::certify_held_out(router, ur::held_out{sample}, ur::confidence_level{.9}),
                    Catch::Contains("normalised"));
  CHECK_NOTHROW(ur::certify_held_out(router, ur::held_out{sample}, ur::confidence_level{.9}, {.lambda = .1}));
  ur::router soft{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 2}}, ur::proximity_map{}, ur::cell_mean{},
                  ur::lagrangian_rule{{.lambda = .1, .normalise_costs = true}}};
  soft.fit(two_cells(40, "train ", {"a", "b", "c"}, true));
  soft.enroll(two_cells(24, "validation ", {"a", "b", "c"}, true), {"a", "b"});
  soft.reprice("a", 1);
  soft.reprice("b", 2);
  CHECK_THROWS_WITH(ur::certify_soft(soft, sample, other, ur::confidence_level{.9}), Catch::Contains("normalised"));

  const std::vector<std::uint32_t> labels{0, 1, 0, 1}, choices{0, 0};
  auto losses = ur::make_matrix<double>(4, 2, 0.0);
  losses(0, 0) = losses(1, 1) = 1;
  const std::vector<std::size_t> columns{0, 1};
  const auto counted = ur::summarise(ur::cell_outcomes{labels, losses, 2, columns});
  const std::vector<double> costs{1, 2};
  CHECK(ur::certify_counts<ur::wilson>(counted, choices, costs, 0, .1, {}, .1, ur::asymptotic{}).only_asymptotic);
  CHECK_FALSE(ur::certify_counts<ur::hoeffding>(counted, choices, costs, 0, .1).only_asymptotic);
}

TEST_CASE("contributions come by amount, not by gap") {
  ur::certificate c;
  c.parts = {{0, 1, .9, .1, .09}, {1, 0, .5, .4, .2}, {2, 2, .4, .5, .2}, {3, 1, .1, 1, .1}};
  std::vector<std::size_t> cells;
  for (const auto& part : ur::contributions(c)) cells.push_back(part.cell);
  CHECK(cells == std::vector<std::size_t>{1, 2, 3, 0});  // equal amounts in the order of cells
}

TEST_CASE("a grid of prices goes from a thousandth of a loss to more than a whole one, in equal ratios") {
  const std::vector<double> costs{5, 1, 2.5, 2.5};
  const auto grid = ur::price_grid(costs, 12);
  REQUIRE(grid.size() == 13);
  CHECK(grid[0] == 0);
  CHECK(grid[1] == Approx(1e-3 / 4));      // the widest difference, 4, is worth .001
  CHECK(grid[12] == Approx(1.001 / 1.5));  // the least, 1.5, is worth a little more than 1
  for (std::size_t s = 2; s < 12; ++s) CHECK(grid[s + 1] / grid[s] == Approx(grid[2] / grid[1]));
  CHECK(ur::price_grid(std::vector<double>{2, 2}).size() == 1);
  CHECK(ur::price_grid(costs).size() == 41);
}

TEST_CASE("a guard on costs refuses any cost above the declared largest, and passes by the largest alone") {
  auto predicted = ur::make_matrix<double>(4, 2, .5), costs = predicted, paid = predicted;
  for (std::size_t i = 0; i < 4; ++i) {
    costs(i, 0) = .1;
    paid(i, 0) = .1;
    costs(i, 1) = paid(i, 1) = 1;
  }
  const std::vector<double> lambdas{1, 0};
  CHECK_NOTHROW(ur::guard_cost_counts(predicted, costs, paid, 0, .5, 1, lambdas, .1));
  paid(3, 1) = 1.0001;
  CHECK_THROWS_AS(ur::guard_cost_counts(predicted, costs, paid, 0, .5, 1, lambdas, .1), std::domain_error);
  paid(3, 1) = -1e-9;
  CHECK_THROWS_AS(ur::guard_cost_counts(predicted, costs, paid, 0, .5, 1, lambdas, .1), std::domain_error);
  paid(3, 1) = 1;
  // A budget of the largest cost is kept by every rule; four prompts say nothing else.
  const auto all = ur::guard_cost_counts(predicted, costs, paid, 0, 1, 1, lambdas, .1);
  CHECK(all.promised);
  CHECK(all.steps.size() == 2);
  const auto none = ur::guard_cost_counts(predicted, costs, paid, 0, .11, 1, lambdas, .01);
  CHECK(none.abstains);
  CHECK_FALSE(none.promised);
  CHECK(none.steps.size() == 1);
  CHECK(ur::guard_cost_counts(predicted, costs, paid, 0, .1, 1, lambdas, .01, .1).promised);  // its cost is declared
  // A budget at the cheapest model's mean is no error, one below is.
  CHECK_THROWS_AS(ur::guard_cost_counts(predicted, costs, paid, 0, .0999, 1, lambdas, .01), std::invalid_argument);
}

TEST_CASE("a router's guard sees its pool's columns, in whatever order the table has them") {
  // Of four LLMs in the table two are in the pool, against the table's order; only 'b' errs.
  const std::vector<std::string> names{"d", "c", "b", "a"};
  const auto build = [&](std::size_t n, const std::string& prefix) {
    auto parts = two_cells(n, prefix, names, true).parts();
    for (std::size_t i = 0; i < n; ++i) {
      const double losses[] = {1, 1, 1, 0}, costs[] = {9, 9, 1, 2};
      for (std::size_t h = 0; h < 4; ++h) {
        parts.losses(i, h) = losses[h];
        parts.costs(i, h) = costs[h];
      }
    }
    return ur::routing_table(std::move(parts));
  };
  auto router = router_of({});
  router.fit(build(30, "train "));
  router.enroll(build(20, "validation "), {"a", "b"});
  router.reprice("a", 2);
  router.reprice("b", 1);
  const ur::held_out sample{build(200, "sample ")};
  const auto quality = ur::guard_quality(
      router, sample.reused(), {.epsilon = .1, .safe_model = "a", .lambdas = {0, .5, 2}}, ur::confidence_level{.9});
  // Up to λ = .5 the rule asks 'a', which does not err; at 2 it saves one unit and errs on all.
  CHECK(quality.report.lambda == .5);
  CHECK(quality.report.steps.size() == 3);
  const auto cost = ur::guard_cost(router, sample.reused(), {.budget = 1.5, .largest_cost = 9, .lambdas = {2, .5, 0}},
                                   ur::confidence_level{.9});
  CHECK(cost.report.lambda == 2);
  CHECK(cost.report.steps.size() == 2);
}
