// expect: certify: Interval must model mean_interval, moment_interval or sequence_interval
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/hoeffding.hpp>

struct no_interval {};
#ifdef UNIROUTE_EXPECT_OK
using kind = uniroute::hoeffding;
#else
using kind = no_interval;
#endif

void promise(const uniroute::routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{},
                          uniroute::lagrangian_rule{}};
  uniroute::certify<kind>(router, table, uniroute::confidence_level{0.95});
}
