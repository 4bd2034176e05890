#pragma once

// Softmax memberships of cells whose scores are affine in the embedding, for batches: in float64, because differences
// of scores are divided by a bandwidth, which makes float32 products of one prompt and of a batch differ by over 1e-6.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <vector>

namespace uniroute::detail {

/// Turns scores, the lower the better, into weights ∝ exp(−score / scale) that add up to 1, in place.
inline void softmax_of_scores(std::span<double> scores, double scale) noexcept {
  const double least = *std::min_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp((least - score) / scale);
    sum += score;
  }
  for (double& weight : scores) weight /= sum;
}

/// |w_k|² of each row, in float64.
inline std::vector<double> squared_norms(const embedding_matrix& weights) {
  std::vector<double> out;
  for (std::size_t k = 0; k < rows(weights); ++k) out.push_back(squared_norm(row(weights, k).data(), columns(weights)));
  return out;
}

/// Rows of weights ∝ exp((2 x·w_k − o_k) / scale), n x K: a tiled n x D x K dgemm and the softmax.
inline membership_matrix softmax_cells(const embedding_matrix& x, const embedding_matrix& weights,
                                       std::span<const double> offsets, double scale) {
  const std::size_t n = rows(x), d = columns(weights), k = rows(weights);
  auto out = make_matrix<double>(n, k);
  const std::vector<double> wide_weights(weights.begin(), weights.end());
  std::vector<double> wide(std::min(n, tile_rows) * d);
  for (std::size_t first = 0; first < n; first += tile_rows) {
    const std::size_t count = std::min(tile_rows, n - first);
    std::copy_n(x.data() + first * d, count * d, wide.begin());
    gemm<double>(op::as_is, op::transposed, count, k, d, -2, wide.data(), d, wide_weights.data(), d, 0,
                 out.data() + first * k, k);
    for (std::size_t i = first; i < first + count; ++i) {
      const auto scores = row(out, i);
      for (std::size_t c = 0; c < k; ++c) scores[c] += offsets[c];
      softmax_of_scores(scores, scale);
    }
  }
  return out;
}

}  // namespace uniroute::detail
