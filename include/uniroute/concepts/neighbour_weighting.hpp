#pragma once

#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// How K-NN weighs the neighbours that it found.
///
/// Semantics: `fit(sample)` gets the validation prompts (n x D) and may do nothing. `weigh(d)` turns the squared
/// distances to the neighbours into weights, in place: each at least 0, the greatest 1; it is const, thread-safe and
/// allocates nothing.
/// Satisfied by: equal_weights, tilted_neighbours (ProxRouter).
template <class W>
concept neighbour_weighting = stateful<W> &&
    requires(W& w, const W& fitted, const embedding_matrix& sample, std::span<double> distances) {
  w.fit(sample);
  fitted.weigh(distances);
};

}  // namespace uniroute
