// expect: band_along: without uniroute::asymptotic.. name a finite-sample interval
#include <uniroute/bound/curve_band.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/router.hpp>

namespace ur = uniroute;

using router = ur::router<ur::precomputed_embeddings, ur::knn, ur::lagrangian_rule, ur::mean_cost>;
double bound(const router& r, ur::held_out<ur::bounded_loss> sample, std::span<const double> prices) {
#ifdef UNIROUTE_EXPECT_OK
  return ur::band_along(r, std::move(sample), prices, ur::confidence_level{.95}, ur::asymptotic{}).points[0].loss;
#else
  return ur::band_along(r, std::move(sample), prices, ur::confidence_level{.95}).points[0].loss;
#endif
}
