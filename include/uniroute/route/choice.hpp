#pragma once

// What a router answers, and the scratch space that it answers in.

#include <cstddef>
#include <string_view>
#include <vector>

namespace uniroute {

/// Where a prompt goes, and what is expected of it.
struct choice {
  std::size_t index = 0;      ///< of the model in `router::models()`
  std::string_view model;     ///< its name; lives until the pool changes
  double predicted_loss = 0;  ///< γ̂(x, h), in float64
  double cost = 0;            ///< estimated cost
};

/// Scratch space of `router::route` for batches, kept by the caller; grows once.
struct routing_workspace {
  std::vector<double> losses, costs, sorted_losses, sorted_costs;
  std::vector<float> embedding;
};

}  // namespace uniroute
