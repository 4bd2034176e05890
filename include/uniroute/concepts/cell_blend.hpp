#pragma once

#include <concepts>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// How `blended_cells` mixes the means of hard cells when it predicts.
///
/// Semantics: `fit(centroids, x)` gets the cells (K x D) and the training prompts (n x D) and may do nothing.
/// `weigh(d)` turns the squared distances to the K centroids into weights, in place: each at least 0, the greatest 1,
/// no matter what constant was added to all distances; it is const, thread-safe and allocates nothing after the first
/// call on a thread. `prior(n)` is what a cell with n >= 0 outcomes of an LLM counts on top of that; `prior(0)` is 0.
/// Satisfied by: exponential_tilt (ProxRouter), top_cells (Avengers-Pro).
template <class B>
concept cell_blend = stateful<B> &&
    requires(B& b, const B& fitted, const embedding_matrix& x, std::span<double> distances, double count) {
  b.fit(x, x);
  fitted.weigh(distances);
  { fitted.prior(count) } -> std::convertible_to<double>;
};

}  // namespace uniroute
