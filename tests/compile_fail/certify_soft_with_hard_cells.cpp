// expect: certify_soft: the router's Predictor must be cell_based with a soft map
#include <uniroute/bound/certify_soft.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/route/router.hpp>

#ifdef UNIROUTE_EXPECT_OK
using map = uniroute::proximity_map;
#else
using map = uniroute::nearest_map;
#endif

void promise(const uniroute::routing_table& labelled, const uniroute::routing_table& other) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::kmeans{}, map{}, uniroute::shrunken_mean{},
                          uniroute::lagrangian_rule{}};
  uniroute::certify_soft(router, labelled, other, uniroute::confidence_level{0.95});
}
