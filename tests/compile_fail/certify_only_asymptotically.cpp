// expect: certify: the intervals hold only asymptotically: take finite-sample ones
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/wilson.hpp>

void promise(const uniroute::routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{},
                          uniroute::lagrangian_rule{}};
#ifdef UNIROUTE_EXPECT_OK
  uniroute::certify<uniroute::wilson>(router, table, uniroute::confidence_level{0.95}, uniroute::asymptotic{});
#else
  uniroute::certify<uniroute::wilson>(router, table, uniroute::confidence_level{0.95});
#endif
}
