#pragma once

// Small inputs by formula, so that another program can make the same ones.

#include <cmath>
#include <cstddef>
#include <uniroute/arrays.hpp>

namespace uniroute_tests {

/// x(i, j) = sin(1 + 3i + 7j + ij/10) for i = first, first + 1, ….
inline uniroute::embedding_matrix waves(std::size_t n, std::size_t dimension, std::size_t first = 0) {
  auto out = uniroute::make_matrix<float>(n, dimension);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < dimension; ++j) {
      const double a = static_cast<double>(first + i), b = static_cast<double>(j);
      out(i, j) = static_cast<float>(std::sin(1 + 3 * a + 7 * b + 0.1 * a * b));
    }
  }
  return out;
}

/// Losses of three LLMs on twelve prompts.
inline uniroute::loss_matrix wave_losses() {
  constexpr char losses[3][13] = {"100110110110", "101100100100", "001001101101"};
  auto out = uniroute::make_matrix<double>(12, 3);
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t h = 0; h < 3; ++h) out(i, h) = losses[h][i] - '0';
  }
  return out;
}

}  // namespace uniroute_tests
