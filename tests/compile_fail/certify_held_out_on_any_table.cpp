// expect: certify_held_out: the sample must be held_out\{table\}
#include <uniroute/bound/certify_held_out.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>

void promise(const uniroute::routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{},
                          uniroute::lagrangian_rule{}};
#ifdef UNIROUTE_EXPECT_OK
  uniroute::certify_held_out(router, uniroute::held_out{table}, uniroute::confidence_level{0.95});
#else
  uniroute::certify_held_out(router, table, uniroute::confidence_level{0.95});
#endif
}
