#pragma once

// Rows in the order that real tables have: sorted, so that losses drift along them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/observed.hpp>
#include <vector>

namespace uniroute {

/// The rows of n x M losses from the easiest prompt (least mean of its observed losses) to the hardest; equals as they
/// were, prompts without an observed loss last. The worst of what a table sorted by benchmark does to a statistic that
/// reads rows one by one. O(n M + n log n).
inline std::vector<std::size_t> loss_order(const loss_matrix& losses) {
  std::vector<double> mean(rows(losses));
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = observed_mean(row(losses, i), 2.0);
  std::vector<std::size_t> order(mean.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return mean[a] < mean[b]; });
  return order;
}

}  // namespace uniroute
