#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <uniroute/concepts/interval.hpp>

namespace uniroute {

/// Hoeffding's interval (1963): mean ± sqrt(log(2 / δ) / 2n). Any losses in [0, 1].
struct hoeffding {
  using loss_type = bounded_loss;

  static interval make(double sum, std::size_t n, double delta) {
    if (n == 0) return {};
    const double mean = sum / static_cast<double>(n);
    const double half = std::sqrt(std::log(2 / delta) / (2 * static_cast<double>(n)));
    return {std::max(0.0, mean - half), std::min(1.0, mean + half)};
  }
};

static_assert(mean_interval<hoeffding>);
static_assert(interval_for<hoeffding, bounded_loss> && interval_for<hoeffding, binary_loss>);

}  // namespace uniroute
