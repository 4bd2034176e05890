#pragma once

#include <concepts>
#include <cstddef>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>
#include <uniroute/random.hpp>

namespace uniroute {

/// Embeddings → cells.
///
/// Semantics: after `fit(x)`, `size()` is at least 1, `centroids()` is size() x D and finite, and every entry of
/// `assign(x)` is below size(). `fit` reads no outcome. A throw in `fit` leaves the object as it was.
/// Satisfied by: kmeans, prefitted, single_cluster, given_labels.
template <class C>
concept clustering = stateful<C> && requires(C& c, const C& fitted, const embedding_matrix& x) {
  c.fit(x);
  { fitted.size() } -> std::convertible_to<std::size_t>;
  { fitted.centroids() } -> std::convertible_to<const embedding_matrix&>;
  { fitted.assign(x) } -> std::same_as<label_vector>;
};

/// Where K-means starts.
///
/// Semantics: `s(x, k, engine)` gives k x D starting centroids, finite; it draws from `engine` alone.
/// Satisfied by: plus_plus_seeding, random_seeding.
template <class S>
concept seeding = std::copyable<S> &&
    requires(const S& s, const embedding_matrix& x, std::size_t k, random_engine& engine) {
  { s(x, k, engine) } -> std::same_as<embedding_matrix>;
};

}  // namespace uniroute
