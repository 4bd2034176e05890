#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// A kernel of finitely many features: k(x, y) = f(x) · f(y). Smoothers work with the features themselves.
///
/// Semantics: `fit(x, losses)` reads training prompts and the seen LLMs' losses (as in embedding_transform); then
/// `features(x)` is n x feature_count() and finite, and `features(row(x, i), out)` gives row i to within 1e-9 relative
/// to its norm, in an order that no batch changes, allocating nothing after the first call on a thread. A kernel's mean
/// k(x, x) over the training prompts should be about 1, so that noise and weights keep their meaning.
/// Satisfied by: linear_kernel, transformed_kernel and kernel_sum of feature kernels.
template <class K>
concept feature_kernel = stateful<K> && requires(K& k, const K& fitted, const embedding_matrix& x,
                                                 const loss_matrix& losses, embedding_view one, std::span<double> out) {
  k.fit(x, losses);
  { fitted.features(x) } -> std::same_as<matrix<double>>;
  fitted.features(one, out);
  { fitted.feature_count() } -> std::convertible_to<std::size_t>;
};

/// A kernel known by its values only.
///
/// Semantics: `place(x)` brings prompts into the form that the kernel compares; `gram(a, b)` is the matrix of k,
/// finite, symmetric and positive semidefinite for a = b; `gram(one, b, out)` gives k(one, b_j) in float64, in an order
/// that no batch changes, allocating nothing after the first call on a thread. Satisfied by: rbf_kernel,
/// transformed_kernel and kernel_sum of gram kernels.
template <class K>
concept gram_kernel = stateful<K> && std::copyable<typename K::points> &&
    requires(K& k, const K& fitted, const embedding_matrix& x, const loss_matrix& losses,
             const typename K::points& points, embedding_view one, std::span<double> out) {
  k.fit(x, losses);
  { fitted.place(x) } -> std::same_as<typename K::points>;
  { fitted.gram(points, points) } -> std::same_as<matrix<double>>;
  fitted.gram(one, points, out);
};

/// How much the losses of an LLM on two prompts resemble each other: one kernel for all LLMs.
/// `learns_from_outcomes` (concepts/embedding_transform.hpp) holds for kernels too.
template <class K>
concept kernel = feature_kernel<K> || gram_kernel<K>;

/// A kernel with shapes to choose from (a length scale, weights).
///
/// Semantics: after `fit`, `choose(i)` for any i below `shapes()` (at least 1) sets the shape and refits nothing; what
/// `fit` leaves chosen is the default where nothing is known.
template <class K>
concept tunable_kernel = kernel<K> && requires(K& k, const K& fitted, std::size_t shape) {
  { fitted.shapes() } -> std::convertible_to<std::size_t>;
  k.choose(shape);
};

}  // namespace uniroute
