#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/concepts/stateful.hpp>
#include <vector>

namespace uniroute {

/// Embeddings → predicted loss γ̂(x, h) of every model in the pool. Everything that can be routed on is one.
///
/// Semantics: `fit(x, losses)` reads training prompts and the seen LLMs' losses (n x seen; missing allowed).
/// Then `predict(x)` is n x size(), finite; `predict(row(x, i), out)` gives row i to within 1e-6, in float64 and in an
/// order no batch changes, and after the first call on a thread allocates nothing. Both are const and thread-safe.
/// `dimension()` is D, 0 before `fit`. A throw in `fit` leaves the object as it was.
/// Satisfied by: cell_predictor, blended_cells, basic_knn (knn), gaussian_process (ridge), logistic_regression,
/// transformed (item_response), stacked; and,
/// without enrolment, mlp and matrix_factorisation.
template <class P>
concept predictor = stateful<P> && requires(P& p, const P& fitted, const embedding_matrix& x, const loss_matrix& losses,
                                            embedding_view one, std::span<double> out) {
  p.fit(x, losses);
  { fitted.predict(x) } -> std::same_as<loss_matrix>;
  fitted.predict(one, out);
  { fitted.size() } -> std::convertible_to<std::size_t>;
  { fitted.dimension() } -> std::convertible_to<std::size_t>;
};

/// A predictor that LLMs join and leave without anything being refitted.
///
/// Semantics: after `fit` the pool is empty. `set_validation(x)` names the validation prompts and empties the pool;
/// `enroll(name, losses)` adds one LLM by its losses on them (one per prompt, missing allowed, at least one observed);
/// `retire(name)` takes it out. `models()` lists the pool in order of enrolment, and column j of `predict` is model j.
/// A throw in `enroll` or `retire` changes nothing.
/// The prediction for an LLM depends, bit for bit, on its own outcomes alone and not on which others are enrolled.
/// Satisfied by: cell_predictor, blended_cells, basic_knn (knn), gaussian_process (ridge), logistic_regression,
/// transformed (item_response), stacked.
template <class P>
concept pool_adaptive = predictor<P> && requires(P& p, const P& fitted, const embedding_matrix& x,
                                                 const std::string& name, std::span<const double> losses) {
  p.set_validation(x);
  p.enroll(name, losses);
  p.retire(name);
  { fitted.models() } -> std::convertible_to<std::span<const std::string>>;
};

/// A pool-adaptive predictor that takes averages over prompts, and can weight them.
///
/// Semantics: `enroll(name, losses, weights)` adds one LLM whose outcome on prompt i stands for weights[i] prompts
/// (finite, above 0; where the loss is missing, not read). Only their ratios matter; equal ones are `enroll(name,
/// losses)` but for rounding. Needed where some prompts were likelier to be asked than others (enroll/): an average
/// would be of the prompts asked, not of all. Satisfied by: cell_predictor.
template <class P>
concept weight_aware = pool_adaptive<P> &&
    requires(P& p, const std::string& name, std::span<const double> losses, std::span<const double> weights) {
  p.enroll(name, losses, weights);
};

/// A pool-adaptive predictor of the form γ̂ = Φᵀ Ψ. Only these have excess-risk certificates.
///
/// Semantics: `map()` is Φ, `profile_losses()` is the size() x K matrix of Ψ̂, `profile_counts()` the counts behind it,
/// and `predict(x)` = Φ(x) Ψ̂ᵀ.
/// Satisfied by: cell_predictor.
template <class P>
concept cell_based = pool_adaptive<P> && cluster_map<typename P::map_type> && requires(const P& fitted) {
  { fitted.map() } -> std::same_as<const typename P::map_type&>;
  { fitted.profile_losses() } -> std::same_as<loss_matrix>;
  { fitted.profile_counts() } -> std::same_as<matrix<double>>;
};

/// A cell-based predictor with hard cells: what bounds with coefficient 1 and exact binomial intervals need.
template <class P>
concept hard_cell_based = cell_based<P> && hard_cluster_map<typename P::map_type>;

}  // namespace uniroute
