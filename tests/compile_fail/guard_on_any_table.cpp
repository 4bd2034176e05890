// expect: guard: the sample must be held_out\{table\}
#include <uniroute/bound/guard.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>

void promise(const uniroute::routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{},
                          uniroute::lagrangian_rule{}};
#ifdef UNIROUTE_EXPECT_OK
  uniroute::guard_quality(router, uniroute::held_out{table}, {}, uniroute::confidence_level{0.95});
#else
  uniroute::guard_quality(router, table, {}, uniroute::confidence_level{0.95});
#endif
}
