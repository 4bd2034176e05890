#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/sorted.hpp"

namespace ur = uniroute;

TEST_CASE("the candidate of the least upper bound is chosen, and its bounds hold at once") {
  const std::vector<double> means{.4, .3, .35};
  const bool by_loss = GENERATE(false, true);
  std::size_t best = 0, held = 0;
  for (std::size_t t = 0; t < 300; ++t) {
    ur::random_engine draws(ur::derive_seed(1, t));
    auto realised = ur::make_matrix<double>(400, 3);
    for (std::size_t i = 0; i < 400; ++i) {
      const double shared = draws.uniform();
      for (std::size_t g = 0; g < 3; ++g) realised(i, g) = 1.5 * (shared < means[g] ? 1 : 0);
    }
    sorted::rows(by_loss, realised);
    const auto c = ur::cells_by_certificate(realised, 1.5, .1);
    best += c.index == 1 ? 1u : 0u;
    bool all = true;
    for (std::size_t g = 0; g < 3; ++g)
      all = all && c.bounds[g].lower <= 1.5 * means[g] && 1.5 * means[g] <= c.bounds[g].upper;
    held += all ? 1u : 0u;
  }
  CHECK(best >= 290);
  CHECK(held >= 254);  // .9 less three standard deviations
  CHECK_THROWS_AS(ur::cells_by_certificate(ur::make_matrix<double>(3, 2, 2.0), 1, .1), std::domain_error);
  CHECK_THROWS_AS(ur::cells_by_certificate(ur::make_matrix<double>(0, 2), 1, .1), std::invalid_argument);
  CHECK_THROWS_AS(ur::cells_by_certificate(ur::make_matrix<double>(3, 2, .5), 1, 1), std::invalid_argument);
}

TEST_CASE("missing outcomes count as 0 at the lower ends and as 1 at the upper ends") {
  const auto least = ur::make_matrix<double>(200, 1, 0.0), most = ur::make_matrix<double>(200, 1, 1.0);
  const auto c = ur::cells_by_certificate(least, most, 1, .1);
  CHECK(c.bounds[0].lower == 0);
  CHECK(c.bounds[0].upper == 1);
  CHECK_THROWS_AS(ur::cells_by_certificate(most, least, 1, .1), std::domain_error);
  // So does a router whose chosen outcomes are all missing.
  const ur::simulated_world world{{.dimension = 8}};
  const auto validation = world.sample(100, 2).table;
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 2}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{}};
  router.fit(world.sample(100, 1).table);
  router.enroll(validation, std::vector<std::string>{validation.models()[0].name, validation.models()[5].name});
  auto parts = world.sample(300, 3).table.parts();
  for (std::size_t i = 0; i < 299; ++i) {
    for (double& loss : ur::row(parts.losses, i)) loss = ur::missing;
  }
  const std::vector<decltype(router)> one{router};
  const auto holes =
      ur::cells_by_certificate(std::span<const decltype(router)>(one), ur::held_out{ur::routing_table(parts)}, 0, .1);
  CHECK(holes.bounds[0].lower < .01);
  CHECK(holes.bounds[0].upper > .99);
}

TEST_CASE("K by certificate: routers of several K, on prompts that none has seen") {
  const ur::simulated_world world{{.dimension = 8}};
  const auto train = world.sample(300, 1).table, validation = world.sample(200, 2).table;
  std::vector<std::string> pool;
  for (const std::size_t h : {0, 5, 12, 20, 27}) pool.push_back(validation.models()[h].name);
  using router_type = decltype(ur::router{ur::precomputed_embeddings{}, ur::kmeans{}, ur::nearest_map{},
                                          ur::cell_mean{}, ur::lagrangian_rule{}});
  std::vector<router_type> candidates;
  for (const std::size_t k : {1u, 8u, 100u}) {
    ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = k}}, ur::nearest_map{}, ur::cell_mean{},
                      ur::lagrangian_rule{}};
    router.fit(train);
    router.enroll(validation, pool);
    candidates.push_back(router);
  }
  const double lambda = 20;
  const auto c = ur::cells_by_certificate(std::span<const router_type>(candidates),
                                          ur::held_out{world.sample(500, 3).table}, lambda, .1, .5);
  CHECK(c.means.size() == 3);
  CHECK(c.bounds[c.index].upper <= c.bounds[0].upper);
  CHECK_THROWS_WITH(
      ur::cells_by_certificate(std::span<const router_type>(candidates), ur::held_out{validation}, lambda, .1),
      Catch::Contains("was seen by enroll"));
}
