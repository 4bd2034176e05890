// expect: certify: the cellwise bound assumes hard cells, but Map is soft
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/exact_binomial.hpp>

#ifdef UNIROUTE_EXPECT_OK
using map = uniroute::nearest_map;
#else
using map = uniroute::proximity_map;
#endif

void promise(const uniroute::binary_routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::kmeans{}, map{}, uniroute::shrunken_mean{},
                          uniroute::lagrangian_rule{}};
  uniroute::certify<uniroute::exact_binomial>(router, table, uniroute::confidence_level{0.95});
}
