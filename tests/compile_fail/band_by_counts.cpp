// expect: band_of: Interval must hold for bounded losses at every sample size
#include <uniroute/bound/curve_band.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/wilson.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using interval = ur::betting;
#else
using interval = ur::wilson;
#endif
double upper(const ur::matrix<double>& losses, const ur::matrix<double>& costs, std::span<const double> prices) {
  return ur::band_of<interval>(losses, costs, prices, ur::confidence_level{.95}, 1.0).points[0].loss_band.upper;
}
