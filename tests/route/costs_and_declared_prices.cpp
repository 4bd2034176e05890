// What a router takes a model to cost: by cells, and as a table declares it.

#include <catch2/catch.hpp>
#include <numeric>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

TEST_CASE("the typical cost of a model by cells is the mean over cells of its shrunken costs") {
  const auto table = ur::simulated_world{{.dimension = 8}}.sample(300, 2).table;
  const auto split = ur::split(table, {.seed = 4});
  const double strength = 3;
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 4}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{},        ur::cell_cost{strength}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  const auto labels = router.predictor_policy().map().labels(split.validation.embeddings());
  const auto costs = router.costs().costs();
  REQUIRE(costs.size() == split.unseen.size());
  for (std::size_t h = 0; h < costs.size(); ++h) {
    const auto of = ur::column(split.validation.costs(), split.validation.model_index(split.unseen[h]));
    const double mean = std::accumulate(of.begin(), of.end(), 0.0) / static_cast<double>(of.size());
    double typical = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      double sum = strength * mean, weight = strength;
      for (std::size_t i = 0; i < of.size(); ++i) {
        if (labels[i] != k) continue;
        sum += of[i];
        weight += 1;
      }
      typical += sum / weight / 4;
    }
    CHECK(costs[h] == Approx(typical));
  }
}

TEST_CASE("a predictor that cannot enrol has its table's models, at declared costs where there are any") {
  auto parts = ur::simulated_world{{.dimension = 8}}.sample(200, 2).table.parts();
  const std::size_t declared = 3;
  parts.models[declared].cost = .125;
  for (std::size_t i = 0; i < parts.ids.size(); ++i) parts.costs(i, declared) = .125;
  const ur::routing_table table(parts);
  ur::router router{ur::precomputed_embeddings{}, ur::mlp{{.training = {.seed = 1}}}, ur::lagrangian_rule{}};
  router.fit(table);
  REQUIRE(router.size() == table.model_count());
  for (std::size_t h = 0; h < router.size(); ++h) {
    CHECK(router.costs().is_declared(h) == (h == declared));
    CHECK(router.costs().costs()[h] == Approx(table.mean_cost(router.models()[h])));
  }
}
