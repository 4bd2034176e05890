// expect: held_out: the sample is spent by use: hand it over \(std::move\(sample\)\), split its delta beforehand
#include <uniroute/bound/certify_held_out.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>

void promise(const uniroute::routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{},
                          uniroute::lagrangian_rule{}};
  uniroute::held_out sample{table};
#ifdef UNIROUTE_EXPECT_OK
  uniroute::certify_held_out(router, std::move(sample), uniroute::confidence_level{0.95});
#else
  uniroute::certify_held_out(router, sample, uniroute::confidence_level{0.95});
#endif
}
