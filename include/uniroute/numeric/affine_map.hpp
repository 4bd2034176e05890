#pragma once

// x → Aᵀ (x - m): what a fitted linear transform is. Sums are float64, results float32.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

class affine_map {
 public:
  affine_map() = default;
  /// m has D values, A is D x d.
  affine_map(std::vector<double> mean, matrix<double> weights) : mean_(std::move(mean)), weights_(std::move(weights)) {
    assert(mean_.size() == rows(weights_));
  }

  std::size_t input_dimension() const noexcept { return rows(weights_); }
  std::size_t dimension() const noexcept { return columns(weights_); }
  const std::vector<double>& mean() const noexcept { return mean_; }
  const matrix<double>& weights() const noexcept { return weights_; }

  /// n x d.
  embedding_matrix apply(const embedding_matrix& x) const {
    const std::size_t dim = input_dimension(), d = dimension();
    auto out = make_matrix<float>(rows(x), d);
    auto centred = make_matrix<double>(std::min(rows(x), tile_rows), dim);
    auto product = make_matrix<double>(rows(centred), d);
    for (std::size_t first = 0; first < rows(x); first += tile_rows) {
      const std::size_t count = std::min(tile_rows, rows(x) - first);
      for (std::size_t i = 0; i < count; ++i) {
        const auto from = row(x, first + i);
        const auto to = row(centred, i);
        for (std::size_t j = 0; j < dim; ++j) to[j] = static_cast<double>(from[j]) - mean_[j];
      }
      gemm<double>(op::as_is, op::as_is, count, d, dim, 1, centred.data(), dim, weights_.data(), d, 0, product.data(),
                   d);
      for (std::size_t i = 0; i < count * d; ++i) out.data()[first * d + i] = static_cast<float>(product.data()[i]);
    }
    return out;
  }

  void apply(embedding_view x, std::span<float> out) const {
    assert(x.size() == input_dimension() && out.size() == dimension());
    thread_local std::vector<double> sums;
    sums.assign(dimension(), 0.0);
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double v = static_cast<double>(x[j]) - mean_[j];
      const auto a = row(weights_, j);
      for (std::size_t k = 0; k < a.size(); ++k) sums[k] += v * a[k];
    }
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = static_cast<float>(sums[k]);
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("mean", of.mean_);
    visit("weights", of.weights_);
  }

  /// Throws format_error unless both are finite and fit together.
  void check_loaded() const {
    require_state(mean_.size() == rows(weights_), "mean must have as many values as weights has rows");
    const auto finite = [](double v) { return std::isfinite(v); };
    require_state(
        std::all_of(mean_.begin(), mean_.end(), finite) && std::all_of(weights_.begin(), weights_.end(), finite),
        "mean and weights must be finite");
  }

 private:
  std::vector<double> mean_;
  matrix<double> weights_ = make_matrix<double>(0, 0);
};

/// The mean of each column, in float64. n must be at least 1.
inline std::vector<double> mean_of_rows(const embedding_matrix& x) {
  std::vector<double> out(columns(x), 0.0);
  for (std::size_t i = 0; i < rows(x); ++i) {
    const auto from = row(x, i);
    for (std::size_t j = 0; j < from.size(); ++j) out[j] += static_cast<double>(from[j]);
  }
  for (double& v : out) v /= static_cast<double>(rows(x));
  return out;
}

/// x less its mean, in float32.
inline embedding_matrix centre(const embedding_matrix& x, std::span<const double> mean) {
  auto out = make_matrix<float>(rows(x), columns(x));
  for (std::size_t i = 0; i < rows(x); ++i) {
    const auto from = row(x, i);
    const auto to = row(out, i);
    for (std::size_t j = 0; j < from.size(); ++j) to[j] = static_cast<float>(static_cast<double>(from[j]) - mean[j]);
  }
  return out;
}

/// XᵀX (D x D, both triangles): float32 products of tiles, summed in float64. O(n D²).
inline matrix<double> scatter(const embedding_matrix& x) {
  const std::size_t d = columns(x);
  auto out = make_matrix<double>(d, d, 0.0);
  auto tile = make_matrix<float>(d, d);
  single_threaded_blas();
  for (std::size_t first = 0; first < rows(x); first += tile_rows) {
    const std::size_t count = std::min(tile_rows, rows(x) - first);
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, static_cast<int>(d), static_cast<int>(count), 1.0F,
                x.data() + first * d, static_cast<int>(d), 0.0F, tile.data(), static_cast<int>(d));
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j <= i; ++j) out(i, j) += static_cast<double>(tile(i, j));
    }
  }
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < i; ++j) out(j, i) = out(i, j);
  }
  return out;
}

}  // namespace uniroute::detail
