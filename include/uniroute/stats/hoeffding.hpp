#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>

namespace uniroute {

/// Hoeffding's interval (1963): mean ± sqrt(log(2 / δ) / 2n). Any losses in [0, 1].
struct hoeffding {
  using loss_type = bounded_loss;
  using guarantee = finite_sample;
  static constexpr bool equal_tailed = true;  ///< each end fails with probability at most δ / 2

  static interval make(double sum, std::size_t n, double delta) {
    detail::check_delta("hoeffding::make", delta);
    detail::check_sum("hoeffding::make", sum, n);
    if (n == 0) return {};
    const double mean = sum / static_cast<double>(n);
    const double half = std::sqrt(std::log(2 / delta) / (2 * static_cast<double>(n)));
    return {std::clamp(mean - half, 0.0, 1.0), std::clamp(mean + half, 0.0, 1.0)};
  }
};

static_assert(mean_interval<hoeffding> && finite_sample_guarantee<hoeffding>);
static_assert(interval_for<hoeffding, bounded_loss> && interval_for<hoeffding, binary_loss>);

}  // namespace uniroute
