#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>
#include <vector>

namespace uniroute {

/// One observed outcome in a cell.
struct cell_outcome {
  double loss = 0;
  double weight = 1;  ///< w_i Φ_ik; 1 for hard memberships without weights
};

/// What one LLM's validation outcomes say of each cell: the weighted sums behind Ψ(h). K entries each.
/// With hard memberships the weights are counts; with soft ones weight_k = Σ_i Φ_k(x_i) over the observed prompts.
/// Where prompts are weighted, by weights w of mean 1, w_i Φ_ik stands for Φ_ik and w_i ℓ_i for ℓ_i in `total`.
struct cell_statistics {
  std::vector<double> weight;          ///< Σ_i Φ_ik over observed outcomes
  std::vector<double> squared_weight;  ///< Σ_i Φ_ik², for effective counts; equals weight when memberships are hard
  std::vector<double> sum;             ///< Σ_i Φ_ik ℓ_i
  std::size_t observed = 0;            ///< outcomes that were not missing
  double total = 0;                    ///< Σ_i ℓ_i over them: total / observed is the LLM's mean
  /// The observed outcomes of each cell, in the order of the prompts, with weights above 0: K lists for an
  /// `outcome_estimator`, empty for others.
  std::vector<std::vector<cell_outcome>> outcomes = {};

  std::size_t size() const noexcept { return weight.size(); }
};

/// Ψ(h) with the counts behind it.
struct profile {
  std::vector<double> losses;  ///< Ψ_k(h) in [0, 1], K entries
  std::vector<double> counts;  ///< effective number of outcomes behind each
};

/// Validation outcomes → profile.
///
/// Semantics: `estimate(s).losses` has s.size() entries in [0, 1]; it depends on s alone and on what `fit` saw.
/// `fit` gets the statistics of the seen LLMs on training prompts (possibly none) and may do nothing.
/// `s.observed` is at least 1. A cell without outcomes gets the value of a named rule, never zero by default.
/// Satisfied by: cell_mean, shrunken (shrunken_mean), two_level_mean, lower_confidence.
template <class E>
concept estimator = stateful<E> &&
    requires(E& e, const E& fitted, const cell_statistics& s, std::span<const cell_statistics> seen) {
  e.fit(seen);
  { fitted.estimate(s).losses } -> std::convertible_to<const std::vector<double>&>;
};

/// An estimator whose profile carries counts: what shrinkage and certificates need.
/// Satisfied by: cell_mean, shrunken (shrunken_mean), two_level_mean, lower_confidence.
template <class E>
concept counting_estimator = estimator<E> && requires(const E& fitted, const cell_statistics& s) {
  { fitted.estimate(s) } -> std::same_as<profile>;
};

/// An estimator that reads the outcomes themselves, not their sums alone (a median of means, a quantile): it says so,
/// `static constexpr bool asks_for_outcomes = true`, and `cell_predictor` fills `cell_statistics::outcomes` for it.
/// Others pay nothing.
template <class E>
concept outcome_estimator = estimator<E> && requires {
  requires E::asks_for_outcomes;
};

/// An estimator that wants to know where the cells lie: `cell_predictor` then calls `fit(seen, centroids)` instead of
/// `fit(seen)`.
///
/// Semantics: `centroids` is K x D, row k being the cell of statistics k.
/// Satisfied by: two_level_mean.
template <class E>
concept located_estimator = estimator<E> &&
    requires(E& e, std::span<const cell_statistics> seen, const embedding_matrix& centroids) {
  e.fit(seen, centroids);
};

}  // namespace uniroute
