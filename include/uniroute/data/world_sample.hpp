#pragma once

#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>

namespace uniroute {

/// Draws from a world, with the truth.
struct world_sample {
  routing_table table;
  loss_matrix expected_losses;  ///< γ*(x, h), n x M: what the Bayes oracle routes on
  label_vector cells;           ///< the cluster, component or type each prompt came from
};

}  // namespace uniroute
