#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/allocation_counter.hpp"

namespace ur = uniroute;

TEST_CASE("routing one prompt allocates nothing after the first call") {
  const auto split = ur::split(ur::simulated_world{}.sample(400, 1).table, {});
  ur::router router{ur::hashed_tfidf{{.dimension = 64}},
                    ur::kmeans{{.clusters = 8}},
                    ur::proximity_map{},
                    ur::shrunken_mean{},
                    ur::budget_rule{{.budget = 0.001}},
                    ur::cell_cost{}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  router.calibrate(split.validation);
  const std::string text = split.test.prompts()[0];
  const auto x = router.reader().encode(split.test.prompts());
  router.route(text);
  router.route(ur::row(x, 0));
  const uniroute_tests::allocation_counter counter;
  for (std::size_t i = 0; i < 10; ++i) {
    router.route(text);
    router.route(ur::row(x, i));
  }
  CHECK(counter.count() == 0);
}
