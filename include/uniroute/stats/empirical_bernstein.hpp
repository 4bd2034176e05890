#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>

namespace uniroute {

/// The empirical Bernstein interval of Maurer and Pontil (2009, theorem 4), δ/2 on each side:
///   mean ± ( sqrt(2 V log(4/δ) / n) + 7 log(4/δ) / (3 (n − 1)) ),   V the unbiased sample variance.
/// Any losses in [0, 1]. Wider than Hoeffding's until n is in the hundreds; far narrower for losses of little variance.
/// [0, 1] for n < 2.
struct empirical_bernstein {
  using loss_type = bounded_loss;
  using guarantee = finite_sample;
  static constexpr bool equal_tailed = true;  ///< each end fails with probability at most δ / 2

  static interval make(double sum, double squares, std::size_t n, double delta) {
    detail::check_delta("empirical_bernstein::make", delta);
    detail::check_sum("empirical_bernstein::make", sum, n);
    detail::require(squares >= -1e-9 && squares <= sum + 1e-9 * (1 + sum), "empirical_bernstein::make: squares is ",
                    squares, ", but must be from 0 to the sum, ", sum, ": losses are in [0, 1]");
    if (n < 2) return {};
    const double all = static_cast<double>(n), mean = sum / all;
    const double variance = std::max(0.0, (squares - sum * mean) / (all - 1));
    const double logarithm = std::log(4 / delta);
    const double half = std::sqrt(2 * variance * logarithm / all) + 7 * logarithm / (3 * (all - 1));
    return {std::clamp(mean - half, 0.0, 1.0), std::clamp(mean + half, 0.0, 1.0)};
  }
};

static_assert(moment_interval<empirical_bernstein> && !mean_interval<empirical_bernstein>);
static_assert(interval_for<empirical_bernstein, bounded_loss> && finite_sample_guarantee<empirical_bernstein>);

}  // namespace uniroute
