#pragma once

// Student's t by the incomplete beta function: the one part of Boost.Math that statistics here need.

#include <boost/math/special_functions/beta.hpp>
#include <cmath>

namespace uniroute {

/// P[|T| >= |t|] for Student's t with `freedom` degrees of freedom (> 0).
inline double student_t_two_sided(double t, double freedom) {
  if (std::isinf(t)) return 0;
  // Of x = v / (v + t²) and 1 − x the smaller is known to all its digits.
  const double square = t * t, y = square / (freedom + square);
  return y < 0.5 ? boost::math::ibetac(0.5, freedom / 2, y)
                 : boost::math::ibeta(freedom / 2, 0.5, freedom / (freedom + square));
}

/// The t for which P[|T| >= t] = p, p in (0, 1].
inline double student_t_quantile(double p, double freedom) {
  double y = 0;  // 1 − x to all its digits
  const double x = boost::math::ibeta_inv(freedom / 2, 0.5, p, &y);
  return std::sqrt(freedom * (y / x));
}

}  // namespace uniroute
