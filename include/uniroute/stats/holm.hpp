#pragma once

// Many tests at once: which hypotheses fall.

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <uniroute/detail/check_interval.hpp>
#include <vector>

namespace uniroute {

/// Holm's step-down (1979): with probability at least 1 − delta no true hypothesis is rejected, whatever the
/// dependence. Rejects all that Bonferroni does and often more, but gives no intervals. 1 for rejected. Throws
/// std::invalid_argument for a delta outside (0, 1), std::domain_error for a p-value outside [0, 1].
inline std::vector<char> holm(std::span<const double> p_values, double delta) {
  detail::check_delta("holm", delta);
  for (std::size_t i = 0; i < p_values.size(); ++i)
    detail::require<std::domain_error>(p_values[i] >= 0 && p_values[i] <= 1, "holm: p_values[", i, "] is ", p_values[i],
                                       ", but must be in [0, 1]");
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p_values[a] < p_values[b]; });
  std::vector<char> rejected(p_values.size(), 0);
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    if (p_values[order[rank]] > delta / static_cast<double>(order.size() - rank)) break;
    rejected[order[rank]] = 1;
  }
  return rejected;
}

}  // namespace uniroute
