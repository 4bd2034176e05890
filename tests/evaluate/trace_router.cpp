// Routers as curves: every rule's settings against choices that the router itself makes.

#include <catch2/catch.hpp>
#include <numeric>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const auto& parts() {
  static const auto out = ur::split(ur::simulated_world{{.dimension = 8}}.sample(600, 5).table, {.seed = 2});
  return out;
}

template <class Rule, class Costs = ur::mean_cost>
auto router_with(Rule rule, std::size_t models = 100, Costs costs = {}) {
  ur::router out{
      ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 6}}, ur::proximity_map{}, ur::shrunken_mean{}, rule, costs};
  out.fit(parts().train);
  std::vector<std::string> pool(parts().unseen.begin(), parts().unseen.end());
  pool.resize(std::min(models, pool.size()));
  std::reverse(pool.begin(), pool.end());  // enrolled in another order than the table's and the alphabet's
  out.enroll(parts().validation, pool);
  return out;
}

/// Mean cost and quality of a router's own choices.
ur::curve_point point_of(const auto& router) {
  const auto choices = router.route(parts().test.embeddings());
  double cost = 0, quality = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::size_t h = parts().test.model_index(router.models()[choices[i]]);
    cost += parts().test.costs()(i, h) / static_cast<double>(choices.size());
    quality += (1 - parts().test.losses()(i, h)) / static_cast<double>(choices.size());
  }
  return {0, cost, quality, 1};
}

}  // namespace

TEST_CASE("the curve of a Lagrangian router passes through its choices at any price") {
  const auto curve = ur::trace_router(router_with(ur::lagrangian_rule{}), parts().test, {.shares = true});
  REQUIRE(curve.points.size() > 20);
  for (const double lambda : {0.0, 3.0, 80.0, 700.0, 1e6}) {
    const auto router = router_with(ur::lagrangian_rule{{.lambda = lambda}});
    const auto expected = point_of(router);
    std::size_t at = 0;
    while (at + 1 < curve.points.size() && curve.points[at + 1].lambda <= lambda) ++at;
    CHECK(curve.points[at].cost == Approx(expected.cost));
    CHECK(curve.points[at].quality == Approx(expected.quality));
    // Shares are by models(), in the order of enrolment.
    std::vector<double> share(router.size(), 0.0);
    for (const auto h : router.route(parts().test.embeddings()))
      share[h] += 1.0 / static_cast<double>(parts().test.size());
    for (std::size_t h = 0; h < share.size(); ++h) CHECK(curve.shares(at, h) == Approx(share[h]).margin(1e-6));
  }
}

TEST_CASE("normalised prices are swept in their own unit") {
  const auto curve = ur::trace_router(router_with(ur::lagrangian_rule{{.normalise_costs = true}}), parts().test);
  const auto expected = point_of(router_with(ur::lagrangian_rule{{.lambda = .07, .normalise_costs = true}}));
  std::size_t at = 0;
  while (at + 1 < curve.points.size() && curve.points[at + 1].lambda <= .07) ++at;
  CHECK(curve.points[at].cost == Approx(expected.cost));
  CHECK(curve.points[at].quality == Approx(expected.quality));
}

TEST_CASE("a budget rule is swept over budgets, calibrated on the prompts that it is given") {
  const auto router = router_with(ur::budget_rule{});
  const auto curve = ur::trace_router(router, parts().test, parts().validation.embeddings());
  REQUIRE(curve.points.size() == 101);
  for (const std::size_t at : {std::size_t{0}, std::size_t{37}, std::size_t{100}}) {
    auto one = router.with_rule(ur::budget_rule{{.budget = curve.points[at].lambda}});
    one.calibrate(parts().validation.embeddings());
    const auto expected = point_of(one);
    CHECK(curve.points[at].cost == Approx(expected.cost));
    CHECK(curve.points[at].quality == Approx(expected.quality));
  }
  CHECK(curve.points.back().cost > curve.points.front().cost);
}

TEST_CASE("a threshold rule is swept over every threshold at which a choice changes") {
  const auto base = router_with(ur::lagrangian_rule{}, 2);
  const auto curve = ur::trace_router(ur::fix_pool<2>(base, ur::threshold_rule{}), parts().test);
  for (const std::size_t at : {std::size_t{0}, curve.points.size() / 2, curve.points.size() - 1}) {
    const auto one = ur::fix_pool<2>(base, ur::threshold_rule{{.threshold = curve.points[at].lambda}});
    const auto expected = point_of(one);
    CHECK(curve.points[at].cost == Approx(expected.cost));
    CHECK(curve.points[at].quality == Approx(expected.quality));
  }
  for (std::size_t at = 1; at < curve.points.size(); ++at) CHECK(curve.points[at].lambda < curve.points[at - 1].lambda);
}

TEST_CASE("a rule with nothing to sweep is a point, and costs by cell are seen") {
  const auto router = router_with(ur::best_quality_rule{}, 100, ur::cell_cost{});
  const auto curve = ur::trace_router(router, parts().test);
  REQUIRE(curve.points.size() == 1);
  CHECK(curve.points[0].cost == Approx(point_of(router).cost));
  CHECK(curve.points[0].quality == Approx(point_of(router).quality));
}

TEST_CASE("what cannot be traced is refused") {
  const auto router = router_with(ur::lagrangian_rule{});
  std::vector<std::size_t> all(parts().test.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const std::vector<std::size_t> first{0};
  CHECK_THROWS_WITH(ur::trace_router(router, parts().test.select(all, first)), Catch::Contains("model"));
  ur::router empty{ur::precomputed_embeddings{}, ur::kmeans{}, ur::nearest_map{}, ur::cell_mean{},
                   ur::lagrangian_rule{}};
  CHECK_THROWS_AS(ur::trace_router(empty, parts().test), ur::not_fitted);
  const auto losses = ur::make_matrix<double>(2, 2, .5);
  CHECK_THROWS_WITH(ur::trace_decisions({}, losses, losses), Catch::Contains("0 settings"));
  const std::vector<ur::decisions> wrong{{0, {0, 2}}}, few{{0, {0}}};
  CHECK_THROWS_WITH(ur::trace_decisions(wrong, losses, losses), Catch::Contains("a choice is 2"));
  CHECK_THROWS_WITH(ur::trace_decisions(few, losses, losses), Catch::Contains("choices has 1"));
  CHECK_THROWS_WITH(ur::trace_decisions(few, losses, ur::make_matrix<double>(1, 2)), Catch::Contains("costs is 1 x 2"));
}

TEST_CASE("decisions with missing outcomes count as in trace_curve") {
  auto losses = ur::make_matrix<double>(3, 2, 1.0);
  losses(0, 0) = 0;
  losses(1, 0) = ur::missing;
  const auto costs = ur::make_matrix<double>(3, 2, 2.0);
  const std::vector<ur::decisions> all{{7, {0, 0, 1}}};
  const auto curve = ur::trace_decisions(all, losses, costs, {.shares = true});
  CHECK(curve.points[0].lambda == 7);
  CHECK(curve.points[0].coverage == Approx(2. / 3));
  CHECK(curve.points[0].quality == Approx(2. / 3));  // the missing one counts as the observed choice of its model
  CHECK(curve.shares(0, 0) == Approx(2. / 3));
}
