#pragma once

// What every predictor, transform, kernel and design checks at its boundary.

#include <cstddef>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/errors.hpp>

namespace uniroute::detail {

/// Training prompts (n x D, n and D at least 1, finite) with the seen LLMs' losses (n x seen).
inline void check_training(std::string_view function, const embedding_matrix& x, const loss_matrix& losses) {
  require(rows(losses) == rows(x), function, ": losses has ", rows(losses), " rows, but embeddings has ", rows(x));
  require(rows(x) >= 1, function, ": embeddings has 0 rows, but must have at least 1");
  require(columns(x) >= 1, function, ": embeddings has 0 columns, but must have at least 1");
  check_finite(function, "embeddings", x);
  check_losses(function, "losses", losses);
}

/// Embeddings of the dimension that was fitted (0: not fitted).
inline void check_dimension(std::string_view function, const embedding_matrix& x, std::size_t dimension) {
  require<not_fitted>(dimension != 0, function, ": fit must come first");
  require(columns(x) == dimension, function, ": embeddings has ", columns(x), " columns, but must have ", dimension);
}
/// The same, and finite.
inline void check_input(std::string_view function, const embedding_matrix& x, std::size_t dimension) {
  check_dimension(function, x, dimension);
  check_finite(function, "embeddings", x);
}

}  // namespace uniroute::detail
