// expect: router::fit: a split is more than a router may see: fit\(split.train\), then enroll\(split.validation,
// split.unseen\)
#include <uniroute/data/split.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

void learn(const ur::routing_table& table) {
  ur::router router{ur::precomputed_embeddings{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
  const auto split = ur::split(table);
#ifdef UNIROUTE_EXPECT_OK
  router.fit(split.train);
#else
  router.fit(split);
#endif
}
