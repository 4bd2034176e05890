#pragma once

// The normal distribution: its quantile, from the standard library's erfc alone.

#include <cmath>
#include <numbers>
#include <uniroute/detail/check.hpp>

namespace uniroute {

/// P[Z > z], Z standard normal.
inline double normal_upper_tail(double z) noexcept { return std::erfc(z / std::numbers::sqrt2) / 2; }

/// The z with P[Z > z] = p, to full precision: the rational start of Abramowitz and Stegun (26.2.23, off by at most
/// 4.5e-4), then Newton steps. Throws std::invalid_argument for a p outside (0, 1).
inline double normal_upper_quantile(double p) {
  detail::require(p > 0 && p < 1, "normal_upper_quantile: p is ", p, ", but must be between 0 and 1");
  if (p > 0.5) return -normal_upper_quantile(1 - p);
  const double t = std::sqrt(-2 * std::log(p));
  double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int step = 0; step < 3; ++step) {
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    z += (normal_upper_tail(z) - p) / density;
  }
  return z;
}

}  // namespace uniroute
