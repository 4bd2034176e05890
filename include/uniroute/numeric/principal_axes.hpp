#pragma once

// Principal axes of embeddings: the mean, and the directions of largest variance around it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

struct principal_axes {
  std::vector<float> mean;                        ///< D
  matrix<float> axes = make_matrix<float>(0, 0);  ///< k x D, orthonormal rows, largest variance first

  /// out = axes (x - mean): k values. `centred` is scratch for D values.
  void project(const float* x, float* centred, float* out) const noexcept {
    const std::size_t d = mean.size();
    for (std::size_t j = 0; j < d; ++j) centred[j] = x[j] - mean[j];
    for (std::size_t a = 0; a < rows(axes); ++a) out[a] = dot(row(axes, a).data(), centred, d);
  }
};

/// Of x (n x D, n >= 1), the first k <= D. In float64, on tiles of 1,024 rows. O(n D² + D³).
/// Throws std::runtime_error if LAPACK does not converge.
inline principal_axes find_principal_axes(const matrix<float>& x, std::size_t k) {
  const std::size_t n = rows(x), d = columns(x);
  std::vector<double> mean(d, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) mean[j] += static_cast<double>(x(i, j));
  }
  for (double& value : mean) value /= static_cast<double>(n);
  auto covariance = make_matrix<double>(d, d, 0.0);
  constexpr std::size_t tile = 1024;
  auto centred = make_matrix<double>(std::min(n, tile), d);
  for (std::size_t first = 0; first < n; first += tile) {
    const std::size_t count = std::min(tile, n - first);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < d; ++j) centred(i, j) = static_cast<double>(x(first + i, j)) - mean[j];
    }
    gemm<double>(op::transposed, op::as_is, d, d, count, 1 / static_cast<double>(n), centred.data(), d, centred.data(),
                 d, 1, covariance.data(), d);
  }
  const auto found = eigen_decomposition(std::move(covariance));
  if (!found) throw std::runtime_error("principal axes: the eigenvalues did not converge");
  principal_axes out;
  for (const double value : mean) out.mean.push_back(static_cast<float>(value));
  out.axes = make_matrix<float>(k, d);
  for (std::size_t a = 0; a < k; ++a) {
    for (std::size_t j = 0; j < d; ++j) out.axes(a, j) = static_cast<float>(found->vectors(a, j));
  }
  return out;
}

/// Scales to length 1; a zero vector stays.
inline void to_unit_length(std::span<float> x) noexcept {
  const double square = squared_norm(x.data(), x.size());
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (float& value : x) value = static_cast<float>(static_cast<double>(value) * scale);
}

}  // namespace uniroute::detail
