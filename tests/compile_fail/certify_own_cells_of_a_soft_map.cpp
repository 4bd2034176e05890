// expect: certify: the router's predictor must be cell-based with hard cells
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/route/router.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using map = ur::nearest_map;
#else
using map = ur::proximity_map;
#endif
using predictor = ur::cell_predictor<ur::kmeans<>, map, ur::cell_mean>;
double bound(const ur::router<ur::precomputed_embeddings, predictor, ur::lagrangian_rule, ur::mean_cost>& r,
             const ur::routing_table& sample) {
  return ur::certify_against_own_cells(r, sample, ur::confidence_level{.95}).bound;
}
