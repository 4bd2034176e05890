#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// Prompts → embeddings.
///
/// Semantics: `fit` reads unlabelled prompts (it may do nothing); afterwards `encode(prompts)` is
/// prompts.size() x dimension() and finite, and row i depends on prompt i alone, to within 1e-6 whatever the batch.
/// `encode(prompt, out)` writes dimension() values and, after the first call, allocates nothing on its own account.
/// `encode` is const and may be called from several threads.
/// Satisfied by: hashed_tfidf, lsa, transformer_encoder, static_encoder, concatenated, projected.
template <class E>
concept encoder = stateful<E> && requires(E& e, const E& fitted, std::span<const std::string> prompts,
                                          std::string_view prompt, std::span<float> out) {
  e.fit(prompts);
  { fitted.encode(prompts) } -> std::same_as<embedding_matrix>;
  fitted.encode(prompt, out);
  { fitted.dimension() } -> std::convertible_to<std::size_t>;
};

/// Whether `fit` learns from prompts. An encoder that does not says so, `static constexpr bool learns = false`:
/// experiments then embed each text once, and not again in every trial.
/// Those that do not: transformer_encoder, static_encoder, and concatenated ones of these.
template <class E>
inline constexpr bool learns_from_prompts = [] {
  if constexpr (requires { E::learns; }) {
    return E::learns;
  } else {
    return true;
  }
}();

/// Embeddings that come with the table: takes the place of an encoder, but cannot read text.
///
/// Semantics: `fit(embeddings)` remembers the dimension; `check(embeddings)` throws unless they have it.
/// Satisfied by: precomputed_embeddings.
template <class E>
concept embedding_source = stateful<E> && requires(E& e, const E& fitted, const embedding_matrix& embeddings) {
  e.fit(embeddings);
  fitted.check(embeddings);
  { fitted.dimension() } -> std::convertible_to<std::size_t>;
};

/// What may stand first in a router.
template <class E>
concept prompt_reader = encoder<E> || embedding_source<E>;

}  // namespace uniroute
