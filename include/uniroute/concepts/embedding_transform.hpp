#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// Embeddings → embeddings of another space, in which any clustering, predictor or kernel may live.
///
/// Semantics: `fit(x, losses)` reads training prompts (n x D) and the seen LLMs' losses on them (n x seen, missing
/// allowed; seen may be 0 if nothing is learned from outcomes). Then `apply(x)` is n x dimension() and finite;
/// `apply(row(x, i), out)` gives row i to within 1e-6, summed in float64 in an order that no batch changes, and after
/// the first call on a thread allocates nothing. Both are const and thread-safe. `input_dimension()` is D,
/// `dimension()` what comes out of it; both are 0 before `fit`. A throw in `fit` leaves the object as it was. A
/// transform that reads no outcome says so by `static constexpr bool learns_from_outcomes = false`. Satisfied by:
/// raw_embedding, projection, skills, concatenation.
template <class T>
concept embedding_transform = stateful<T> &&
    requires(T& t, const T& fitted, const embedding_matrix& x, const loss_matrix& losses, embedding_view one,
             std::span<float> out) {
  t.fit(x, losses);
  { fitted.apply(x) } -> std::same_as<embedding_matrix>;
  fitted.apply(one, out);
  { fitted.dimension() } -> std::convertible_to<std::size_t>;
  { fitted.input_dimension() } -> std::convertible_to<std::size_t>;
};

/// Whether T (a transform or a kernel) may learn from outcomes. It may unless it declares
/// `static constexpr bool learns_from_outcomes = false`: who chooses hyper-parameters for T must then hold LLMs back.
template <class T>
inline constexpr bool learns_from_outcomes = true;

/// As T declares.
template <class T>
requires requires {
  { T::learns_from_outcomes } -> std::convertible_to<bool>;
}
inline constexpr bool learns_from_outcomes<T> = T::learns_from_outcomes;

}  // namespace uniroute
