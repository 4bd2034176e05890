#pragma once

// Checks at the public boundary: outcomes, costs and what is fitted on; what reads no outcome needs detail/check.hpp
// alone.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>

namespace uniroute::detail {

/// A loss is in [0, 1] or exactly `missing`.
inline bool is_loss(double value) noexcept { return (value >= 0 && value <= 1) || is_exactly_missing(value); }

/// Whether each value is in [0, 1]. Bits of doubles from 0 on are ordered as the doubles are, and integers compare in
/// fewer instructions: the sign of b | (1 - b) is set for what lies outside.
inline bool all_observed(std::span<const double> losses) noexcept {
  constexpr auto one = std::bit_cast<std::uint64_t>(1.0);
  const auto outside = [](double loss) {
    const auto bits = std::bit_cast<std::uint64_t>(loss + 0.0);  // -0 becomes 0
    return bits | (one - bits);
  };
  constexpr std::size_t width = 64;
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + width <= losses.size() && any >> 63 == 0; i += width) {
    for (std::size_t lane = 0; lane < width; ++lane) any |= outside(losses[i + lane]);
  }
  for (; i < losses.size(); ++i) any |= outside(losses[i]);
  return any >> 63 == 0;
}

/// `first` is the index of losses[0] in the whole column.
inline void check_losses(std::string_view function, std::string_view thing, std::span<const double> losses,
                         std::size_t first = 0) {
  if (all_observed(losses)) return;
  const auto observed = [](double value) { return value >= 0 && value <= 1; };
  for (std::size_t i = first_bad(losses, observed); i < losses.size(); i = first_bad(losses, observed, i + 1)) {
    if (!is_exactly_missing(losses[i])) {
      throw std::domain_error(
          text(function, ": ", thing, "[", first + i, "] is ", losses[i], ", but must be in [0, 1] or missing"));
    }
  }
}

inline void check_losses(std::string_view function, std::string_view thing, const loss_matrix& losses) {
  if (all_observed({losses.data(), losses.size()})) return;
  for (std::size_t i = 0; i < rows(losses); ++i) {
    for (std::size_t j = 0; j < columns(losses); ++j) {
      if (!is_loss(losses(i, j))) {
        throw std::domain_error(
            text(function, ": ", thing, "(", i, ", ", j, ") is ", losses(i, j), ", but must be in [0, 1] or missing"));
      }
    }
  }
}

/// A cost is finite and at least zero.
inline void check_cost(std::string_view function, std::string_view thing, double cost) {
  if (!(cost >= 0 && std::isfinite(cost))) {
    throw std::domain_error(text(function, ": ", thing, " is ", cost, ", but must be finite and at least 0"));
  }
}

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
