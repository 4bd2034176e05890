#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <uniroute/arrays.hpp>
#include <uniroute/data/loss_order.hpp>
#include <uniroute/data/routing_table.hpp>
#include <vector>

namespace uniroute {

/// Draws from a world, with the truth.
struct world_sample {
  routing_table table;
  loss_matrix expected_losses;  ///< γ*(x, h), n x M: what the Bayes oracle routes on
  label_vector cells;           ///< the cluster, component or type each prompt came from
};

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
