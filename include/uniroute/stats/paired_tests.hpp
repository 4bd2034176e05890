#pragma once

// Is one method better than another over random re-splits of one data set?

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <stdexcept>
#include <uniroute/detail/check.hpp>
#include <uniroute/stats/student_t.hpp>

namespace uniroute {

/// A mean over trials with its interval and the test of "the mean is zero".
struct mean_estimate {
  double mean = 0;
  double low = 0;      ///< of the interval
  double high = 0;     ///< of the interval
  double p_value = 1;  ///< two-sided, of mean zero
};

/// Mean and t-interval of values from overlapping re-splits: the variance of the mean is (1/n + ρ) s² instead of s²/n,
/// ρ = test prompts / prompts a trial learned from (Nadeau and Bengio 2003). ρ = 0 is the ordinary t-test, for values
/// that are independent. One value, or no spread: the interval is the mean.
/// Throws std::invalid_argument for no values, a negative ρ or a level outside (0, 1), std::domain_error for a value
/// that is not finite.
inline mean_estimate corrected_resampled_t(std::span<const double> values, double rho, double level = 0.95) {
  detail::require(!values.empty(), "corrected_resampled_t: values has 0 entries, but must have at least 1");
  detail::require(rho >= 0 && std::isfinite(rho), "corrected_resampled_t: rho is ", rho,
                  ", but must be finite and at least 0");
  detail::require(level > 0 && level < 1, "corrected_resampled_t: level is ", level, ", but must be between 0 and 1");
  const double n = static_cast<double>(values.size());
  // Squares of very large or small values would overflow or vanish, and with them the test: those are scaled by a power
  // of two, which changes no digit.
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  detail::check_finite_values("corrected_resampled_t", "values", values);
  const int power = largest > 1e100 || (largest > 0 && largest < 1e-100) ? std::ilogb(largest) : 0;
  const auto scaled = [&](double value) { return power == 0 ? value : std::ldexp(value, -power); };
  const auto back = [&](double value) { return power == 0 ? value : std::ldexp(value, power); };
  double mean = 0;
  for (const double value : values) mean += scaled(value) / n;
  double squares = 0;
  for (const double value : values) squares += (scaled(value) - mean) * (scaled(value) - mean);
  if (values.size() == 1) return {back(mean), back(mean), back(mean), 1};
  const double error = std::sqrt((1 / n + rho) * squares / (n - 1));
  if (error == 0) return {back(mean), back(mean), back(mean), mean == 0 ? 1.0 : 0.0};
  const double half = student_t_quantile(1 - level, n - 1) * error;
  return {back(mean), back(mean - half), back(mean + half), student_t_two_sided(mean / error, n - 1)};
}

/// Two-sided exact sign test that positive and negative differences are equally likely; zeros are left out.
/// Trials of one data set are dependent: read it as the paper's number, beside the corrected t-test.
/// Throws std::domain_error for NaN.
inline double sign_test(std::span<const double> differences) {
  for (std::size_t i = 0; i < differences.size(); ++i)
    detail::require<std::domain_error>(!std::isnan(differences[i]), "sign_test: differences[", i,
                                       "] is nan, but must be a number");
  std::size_t positive = 0, negative = 0;
  for (const double d : differences) {
    positive += d > 0 ? 1u : 0u;
    negative += d < 0 ? 1u : 0u;
  }
  const std::size_t n = positive + negative;
  const std::size_t fewer = positive < negative ? positive : negative;
  if (n == 0) return 1;
  // P[X <= fewer], X ~ Binomial(n, 1/2), is the incomplete beta I_{1/2}(n - fewer, fewer + 1).
  const double tail = boost::math::ibeta(static_cast<double>(n - fewer), static_cast<double>(fewer) + 1, 0.5);
  return tail > 0.5 ? 1 : 2 * tail;
}

}  // namespace uniroute
