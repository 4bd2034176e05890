#pragma once

// Samples in the order that real tables have: sorted, so that losses drift along the rows.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/data/world_sample.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The rows of n x M losses from the easiest prompt (least mean of its observed losses) to the hardest; equals as they
/// were, prompts without an observed loss last. The worst of what a table sorted by benchmark does to a statistic that
/// reads rows one by one. O(n M + n log n).
inline std::vector<std::size_t> loss_order(const loss_matrix& losses) {
  std::vector<double> mean(rows(losses), 2.0);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    double sum = 0, observed = 0;
    for (const double loss : row(losses, i)) {
      if (is_missing(loss)) continue;
      sum += loss;
      observed += 1;
    }
    if (observed > 0) mean[i] = sum / observed;
  }
  std::vector<std::size_t> order(mean.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return mean[a] < mean[b]; });
  return order;
}

/// The same draws in loss order: `sort_by_loss(world.sample(n, seed))`. What holds for a sample must hold for it, since
/// a set of prompts has no order.
inline world_sample sort_by_loss(const world_sample& sample) {
  const auto order = loss_order(sample.table.losses());
  std::vector<std::size_t> all(sample.table.model_count());
  std::iota(all.begin(), all.end(), std::size_t{0});
  world_sample out{sample.table.select(order, all), sample.expected_losses, sample.cells};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto expected = row(sample.expected_losses, order[i]);
    std::copy(expected.begin(), expected.end(), row(out.expected_losses, i).begin());
    out.cells[i] = sample.cells[order[i]];
  }
  return out;
}

}  // namespace uniroute
