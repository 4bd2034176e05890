#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>

namespace uniroute {

/// A distribution of prompts and answers whose error probabilities are known: what a router's true regret is measured
/// in.
///
/// Semantics: `sample(n, seed)` draws n independent prompts and one answer of each of the `models()` LLMs to every one;
/// losses have mean `expected_losses` given the prompt and are independent over prompts and LLMs. Row i depends on
/// (seed, i) alone, so that a longer sample begins with the shorter one. What is drawn is a `world_sample`: `table`,
/// and `expected_losses` of its rows. Immutable; const members are thread-safe. Satisfied by: simulated_world,
/// gaussian_world, discrete_world.
template <class W>
concept world = std::copyable<W> && requires(const W& w, std::size_t n, std::uint64_t seed) {
  { w.models() } -> std::convertible_to<std::size_t>;
  { w.sample(n, seed).expected_losses } -> std::convertible_to<const loss_matrix&>;
  { w.sample(n, seed).table.losses() } -> std::convertible_to<const loss_matrix&>;
};

/// A world of finitely many types of prompts: every expectation in it is a sum, so regret is exact.
///
/// Semantics: type t has probability `probabilities()[t]` (they sum to 1), embedding row t of `embeddings()`, γ*(t, h)
/// in row t of `expected_losses()`, and costs in row t of `costs()`, which may have one row for all types. Satisfied
/// by: discrete_world.
template <class W>
concept enumerable_world = world<W> && requires(const W& w) {
  { w.probabilities() } -> std::convertible_to<std::span<const double>>;
  { w.expected_losses() } -> std::convertible_to<const loss_matrix&>;
  { w.costs() } -> std::convertible_to<const cost_matrix&>;
  { w.embeddings() } -> std::convertible_to<const embedding_matrix&>;
};

}  // namespace uniroute
