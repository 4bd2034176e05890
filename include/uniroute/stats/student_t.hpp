#pragma once

// Student's t by the incomplete beta function: the one part of Boost.Math that statistics here need.

#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace uniroute {

/// P[|T| >= |t|] for Student's t with `freedom` degrees of freedom (> 0).
inline double student_t_two_sided(double t, double freedom) {
  if (std::isinf(t)) return 0;
  return boost::math::ibeta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

/// The t for which P[|T| >= t] = p, p in (0, 1].
inline double student_t_quantile(double p, double freedom) {
  const double x = boost::math::ibeta_inv(freedom / 2, 0.5, p);
  return std::sqrt(freedom * (1 / x - 1));
}

}  // namespace uniroute
