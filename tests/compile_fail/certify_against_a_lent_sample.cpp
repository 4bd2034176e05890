// expect: held_out: the sample is spent by use: hand it over
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/router.hpp>

namespace ur = uniroute;

using router = ur::router<ur::precomputed_embeddings, ur::knn, ur::lagrangian_rule, ur::mean_cost>;
double bound(const router& r, ur::held_out<ur::bounded_loss> sample, const ur::kmeans<>& cells) {
#ifdef UNIROUTE_EXPECT_OK
  return ur::certify_against(r, std::move(sample), ur::against::cells{cells}, ur::confidence_level{.95}).bound;
#else
  return ur::certify_against(r, sample, ur::against::cells{cells}, ur::confidence_level{.95}).bound;
#endif
}
