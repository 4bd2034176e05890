#pragma once

// The lower hull of a few points in the plane: what minimises a sum of two things at some price of the second.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace uniroute::detail {

/// The minimisers of loss + λ cost over λ >= 0: the falling part of the lower convex hull of (cost, loss).
/// `by_cost` are model indices by (cost, index); `hull`, as long, gets them by rising cost. Returns how many.
inline std::size_t lower_hull(std::span<const double> losses, std::span<const double> costs,
                              std::span<const std::uint32_t> by_cost, std::span<std::uint32_t> hull) noexcept {
  // First those better than all cheaper ones, without a branch that a random row would mispredict.
  std::size_t better = 0;
  double least = std::numeric_limits<double>::infinity();
  for (const std::uint32_t h : by_cost) {
    const double loss = losses[h];
    hull[better] = h;
    better += static_cast<std::size_t>(loss < least);
    least = std::min(least, loss);
  }
  std::size_t size = 0;
  for (std::size_t at = 0; at < better; ++at) {
    const std::uint32_t h = hull[at];
    for (; size >= 2; --size) {
      const std::uint32_t a = hull[size - 2], b = hull[size - 1];
      const bool above =
          (losses[a] - losses[b]) * (costs[h] - costs[a]) <= (losses[a] - losses[h]) * (costs[b] - costs[a]);
      if (!above) break;
    }
    // A better model at the same cost replaces the one before.
    if (size > 0 && costs[hull[size - 1]] == costs[h]) --size;
    hull[size++] = h;
  }
  return size;
}

}  // namespace uniroute::detail
