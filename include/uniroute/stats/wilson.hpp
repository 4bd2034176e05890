#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/stats/normal.hpp>

namespace uniroute {

/// The score interval of Wilson (1927): all means μ with |mean − μ| <= z sqrt(μ (1 − μ) / n). Approximate: near 0 and 1
/// it covers less often than 1 − δ, at any n. Graded losses may be used: their variance is below μ (1 − μ).
/// Take it to see what exact coverage costs, not to promise anything.
struct wilson {
  using loss_type = bounded_loss;
  using guarantee = asymptotic;
  static constexpr bool equal_tailed = true;  ///< each end fails with probability at most δ / 2

  static interval make(double sum, std::size_t n, double delta) {
    detail::check_delta("wilson::make", delta);
    detail::check_sum("wilson::make", sum, n);
    if (n == 0) return {};
    const double all = static_cast<double>(n), mean = sum / all, z = normal_upper_quantile(delta / 2);
    const double middle = (mean + z * z / (2 * all)) / (1 + z * z / all);
    const double half =
        z / (1 + z * z / all) * std::sqrt(std::max(0.0, mean * (1 - mean)) / all + z * z / (4 * all * all));
    return {std::clamp(middle - half, 0.0, 1.0), std::clamp(middle + half, 0.0, 1.0)};
  }
};

static_assert(mean_interval<wilson> && !finite_sample_guarantee<wilson>);

}  // namespace uniroute
