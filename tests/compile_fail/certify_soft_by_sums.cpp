// expect: certify_soft: Interval must model ratio_interval
#include <uniroute/bound/certify_soft.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/hoeffding.hpp>

#ifdef UNIROUTE_EXPECT_OK
using kind = uniroute::betting;
#else
using kind = uniroute::hoeffding;
#endif

void promise(const uniroute::routing_table& labelled, const uniroute::routing_table& other) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::kmeans{}, uniroute::proximity_map{},
                          uniroute::shrunken_mean{}, uniroute::lagrangian_rule{}};
  uniroute::certify_soft<kind>(router, labelled, other, uniroute::confidence_level{0.95});
}
