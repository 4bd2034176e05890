#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>
#include <vector>

namespace uniroute {

/// The prompts that a new LLM is asked, out of n candidates.
struct label_sample {
  std::vector<std::size_t> prompts;  ///< indices of the chosen candidates, rising
  std::vector<double> weights;       ///< of each of them, above 0: for how many candidates its outcome stands
  std::vector<double> inclusion;     ///< n values: the probability with which the design chooses each candidate
};

/// Which prompts to ask a new LLM when labels are dear: chosen before it has answered anything.
///
/// Semantics: `fit(x, losses)` reads training prompts (n x D) and the seen LLMs' losses on them (n x seen, seen may be
/// 0, missing allowed). Then `choose(candidates, budget, seed)` takes `budget` of the candidates' rows, all of them
/// with weight 1 if there are no more than that; it is const, thread-safe and a function of its arguments. `inclusion`
/// adds up to the number chosen, over draws of the seed; weights are 1 / inclusion, so that Σ w ℓ / n is unbiased for
/// the mean over the candidates, or, for a design that draws nothing (every inclusion 0 or 1), calibrated weights. A
/// design sees embeddings and seen LLMs alone, so given x what is asked says nothing about the loss. Satisfied by:
/// random_design, stratified_design, spread_design, disagreement_design, leverage_design.
template <class D>
concept label_design = stateful<D> && requires(D& d, const D& fitted, const embedding_matrix& x,
                                               const loss_matrix& losses, std::size_t budget, std::uint64_t seed) {
  d.fit(x, losses);
  { fitted.choose(x, budget, seed) } -> std::same_as<label_sample>;
};

}  // namespace uniroute
