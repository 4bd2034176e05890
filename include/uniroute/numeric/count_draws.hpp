#pragma once

// Counts drawn at once instead of answer by answer: binomial and multinomial draws, the same on every machine whose
// exp, log and pow round alike.

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute::detail {

/// log n! less Stirling's n log n − n + log(2πn) / 2: the series for n >= 16, exact sums below. n >= 1.
inline double stirling_error(double n) noexcept {
  static const std::array<double, 16> exact = [] {
    std::array<double, 16> out{};
    double log_factorial = 0;
    for (std::size_t i = 1; i < out.size(); ++i) {
      const double x = static_cast<double>(i);
      log_factorial += std::log(x);
      out[i] = log_factorial - (x * std::log(x) - x + std::log(2 * std::numbers::pi * x) / 2);
    }
    return out;
  }();
  if (n < 16) return exact[static_cast<std::size_t>(n)];
  const double s = 1 / (n * n);
  return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - s / 1680) * s) * s) / n;
}

/// P[X = k], X ~ Binomial(n, p), 0 < k < n, 0 < p < 1, by the saddle-point form (Loader 2000): accurate to 1e-13.
inline double binomial_mass(double k, double n, double p) noexcept {
  const double q = 1 - p;
  const double exponent = stirling_error(n) - stirling_error(k) - stirling_error(n - k) - k * std::log(k / (n * p)) -
                          (n - k) * std::log((n - k) / (n * q));
  return std::exp(exponent) * std::sqrt(n / (2 * std::numbers::pi * k * (n - k)));
}

/// A draw of Binomial(n, p), p in [0, 1], by inversion from the mode outwards (Kachitvichyanukul and Schmeiser 1988,
/// BINV with the mode for a start): exact up to rounding; one uniform number a draw. O(1 + sqrt(n p (1 − p))).
inline std::uint64_t draw_binomial(std::uint64_t n, double p, random_engine& engine) noexcept {
  assert(p >= 0 && p <= 1);
  if (n == 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - draw_binomial(n, 1 - p, engine);
  const double all = static_cast<double>(n), odds = p / (1 - p);
  double u = engine.uniform();
  if (all * p < 12) {
    double mass = std::exp(all * std::log1p(-p));
    for (std::uint64_t k = 0; k < n; ++k) {
      if (u < mass) return k;
      u -= mass;
      mass *= odds * static_cast<double>(n - k) / static_cast<double>(k + 1);
      if (mass < 1e-300 && static_cast<double>(k) > all * p) return k;  // what rounding left of u
    }
    return n;
  }
  const auto mode = static_cast<std::uint64_t>((all + 1) * p);
  double up = binomial_mass(static_cast<double>(mode), all, p), down = up;
  if (u < up) return mode;
  u -= up;
  for (std::uint64_t step = 1; step <= n; ++step) {
    const double high = static_cast<double>(mode + step), low = static_cast<double>(mode) - static_cast<double>(step);
    up = high <= all ? up * odds * (all - high + 1) / high : 0;
    if (u < up) return mode + step;
    u -= up;
    down = low >= 0 ? down * (low + 1) / (odds * (all - low)) : 0;
    if (u < down) return mode - step;
    u -= down;
    if (up < 1e-300 && down < 1e-300) break;
  }
  return mode;
}

/// Counts of n draws among `probabilities` (>= 0, sum 1): binomials of what is left. out has as many entries.
inline void draw_multinomial(std::uint64_t n, std::span<const double> probabilities, std::span<std::uint64_t> out,
                             random_engine& engine) noexcept {
  double rest = 1;
  for (std::size_t t = 0; t < probabilities.size(); ++t) {
    const double p = probabilities[t];
    const bool last = t + 1 == probabilities.size();
    out[t] = last || !(rest > 0) ? (last ? n : 0) : draw_binomial(n, std::clamp(p / rest, 0.0, 1.0), engine);
    n -= out[t];
    rest -= p;
  }
}

/// The type that u in [0, 1) falls on, `cumulative` being rising sums of probabilities.
inline std::size_t draw_type(double u, std::span<const double> cumulative) noexcept {
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), u);
  return std::min(static_cast<std::size_t>(found - cumulative.begin()), cumulative.size() - 1);
}

}  // namespace uniroute::detail
