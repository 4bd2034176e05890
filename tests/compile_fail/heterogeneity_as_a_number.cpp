// expect: (use of deleted function|conversion function from .* to 'double' invokes a deleted function|invokes a deleted
// function)
#include <uniroute/bound/heterogeneity.hpp>

double total(double bound, const uniroute::heterogeneity_estimate& estimate) {
#ifdef UNIROUTE_EXPECT_OK
  return bound + estimate.typical_deviation;
#else
  return bound + estimate;
#endif
}
