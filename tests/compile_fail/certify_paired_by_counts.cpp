// expect: certify_paired: Interval must hold for bounded losses at every sample size
#include <uniroute/bound/certify_paired.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/exact_binomial.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using interval = ur::betting;
#else
using interval = ur::exact_binomial;
#endif
using predictor = ur::cell_predictor<ur::kmeans<>, ur::nearest_map, ur::cell_mean>;
double bound(const ur::router<ur::precomputed_embeddings, predictor, ur::lagrangian_rule, ur::mean_cost>& r,
             const ur::routing_table& sample) {
  return ur::certify_paired<interval>(r, sample, ur::confidence_level{.95}).bound;
}
