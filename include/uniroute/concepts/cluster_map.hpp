#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// Φ(x) is one-hot: each prompt lies in one cell. Bounds for hard cells have coefficient 1 (docs/theory.md).
struct hard_membership {};
/// Φ(x) is any point of the simplex. Bounds have coefficient 2.
struct soft_membership {};

/// What a map may learn from: the cells, and the training prompts with the seen LLMs' losses (n x seen, possibly
/// with no column; missing allowed). Lives for one call of `fit`.
struct map_training_set {
  const embedding_matrix& centroids;   ///< K x D
  const embedding_matrix& embeddings;  ///< n x D
  const loss_matrix& losses;           ///< n x seen
};

/// Embeddings → hard memberships.
///
/// Semantics: after `fit`, `size()` is K, `labels(x)[i]` and `label(row(x, i))` are equal and below K.
/// `label` allocates nothing.
/// Satisfied by: nearest_map.
template <class M>
concept hard_cluster_map = stateful<M> && std::same_as<typename M::membership_type, hard_membership> &&
    requires(M& m, const M& fitted, const map_training_set& training, const embedding_matrix& x, embedding_view one) {
  m.fit(training);
  { fitted.size() } -> std::convertible_to<std::size_t>;
  { fitted.labels(x) } -> std::same_as<label_vector>;
  { fitted.label(one) } -> std::same_as<std::uint32_t>;
};

/// Embeddings → soft memberships.
///
/// Semantics: after `fit`, `memberships(x)` is n x K with rows on the simplex (entries >= 0, sum 1 to 1e-12);
/// `membership(row(x, i), out)` writes the same row to within 1e-6, in float64 and in an order that no batch changes,
/// and allocates nothing.
/// Satisfied by: proximity_map, learned_map.
template <class M>
concept soft_cluster_map = stateful<M> && std::same_as<typename M::membership_type, soft_membership> &&
    requires(M& m, const M& fitted, const map_training_set& training, const embedding_matrix& x, embedding_view one,
             std::span<double> out) {
  m.fit(training);
  { fitted.size() } -> std::convertible_to<std::size_t>;
  { fitted.memberships(x) } -> std::same_as<membership_matrix>;
  fitted.membership(one, out);
};

template <class M>
concept cluster_map = hard_cluster_map<M> || soft_cluster_map<M>;

}  // namespace uniroute
