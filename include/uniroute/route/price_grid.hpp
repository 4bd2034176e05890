#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/detail/check.hpp>
#include <vector>

namespace uniroute {

/// Prices from "quality alone" to "the cheapest, whatever it loses", in rising order: 0, and a geometric grid over
/// which the difference of two costs goes from worth a thousandth of a loss to worth a whole one. From costs alone, so
/// that it knows nothing of the held-out sample. Throws std::invalid_argument for no costs or fewer than 2 steps.
inline std::vector<double> price_grid(std::span<const double> costs, std::size_t steps = 40) {
  detail::require(!costs.empty() && steps >= 2, "price_grid: costs has ", costs.size(), " entries and steps is ", steps,
                  ", but must be at least 1 and 2");
  std::vector<double> sorted(costs.begin(), costs.end());
  std::sort(sorted.begin(), sorted.end());
  double least = sorted.back() - sorted.front();
  const double most = least;
  std::vector<double> out{0};
  if (!(most > 0)) return out;
  for (std::size_t h = 1; h < sorted.size(); ++h) {
    if (sorted[h] > sorted[h - 1]) least = std::min(least, sorted[h] - sorted[h - 1]);
  }
  const double from = std::log(1e-3 / most), to = std::log(1.001 / least);
  for (std::size_t s = 0; s < steps; ++s)
    out.push_back(std::exp(from + (to - from) * static_cast<double>(s) / static_cast<double>(steps - 1)));
  return out;
}

}  // namespace uniroute
