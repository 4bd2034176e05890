#pragma once

// Ridge regressions of several targets on one design, for every strength at the price of one factorisation.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/tridiagonal.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// W(s) = (XᵀX + s I)⁻¹ Xᵀ Y for centred X (n x D) and Y.
class ridge_path {
 public:
  /// `scatter` is XᵀX (D x D); y has a row per target (m x n), centred. O(4 D³ / 3 + n D m).
  ridge_path(const embedding_matrix& x, matrix<double> scatter, const matrix<double>& y)
      : prompts_(rows(x)), form_(std::move(scatter)), eigenvalues_(form_.eigenvalues()) {
    const std::size_t d = columns(x), n = rows(x), m = rows(y);
    assert(columns(y) == n && form_.size() == d);
    auto narrow = make_matrix<float>(m, n);
    for (std::size_t h = 0; h < m; ++h) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += y(h, i) * y(h, i);
        narrow(h, i) = static_cast<float>(y(h, i));
      }
      variation_.push_back(sum);
    }
    auto product = make_matrix<float>(m, d);
    gemm<float>(op::as_is, op::as_is, m, d, n, 1, narrow.data(), n, x.data(), d, 0, product.data(), d);
    rotated_ = make_matrix<double>(m, d);
    for (std::size_t at = 0; at < product.size(); ++at) rotated_.data()[at] = static_cast<double>(product.data()[at]);
    form_.rotate({rotated_.data(), rotated_.size()}, m);
  }

  bool converged() const noexcept { return eigenvalues_.size() == form_.size(); }

  /// Generalised cross-validation of each target: |y_h - X w_h|² / n / (1 - (1 + tr H) / n)², H the smoother, 1 for the
  /// mean. Infinite where the fit uses up the degrees of freedom. O(D m).
  std::vector<double> generalised_cross_validation(double strength) const {
    const double n = static_cast<double>(prompts_);
    double freedom = 1;
    for (const double e : eigenvalues_) freedom += e / (e + strength);
    const double left = 1 - freedom / n;
    std::vector<double> out(rows(rotated_), std::numeric_limits<double>::infinity());
    matrix<double> z = rotated_;
    if (left <= 0 || !form_.solve(strength, {z.data(), z.size()}, rows(z))) return out;
    for (std::size_t h = 0; h < rows(z); ++h) {
      const std::span<const double> c = row(rotated_, h), w = row(z, h);
      double residual = variation_[h];
      for (std::size_t j = 0; j < w.size(); ++j) residual -= (c[j] + strength * w[j]) * w[j];
      out[h] = std::max(residual, 0.0) / n / (left * left);
    }
    return out;
  }

  /// W(s)ᵀ, a row per target (m x D). Zero if the system is singular to working precision.
  matrix<double> coefficients(double strength) const {
    matrix<double> z = rotated_;
    if (!form_.solve(strength, {z.data(), z.size()}, rows(z))) {
      z.fill(0);
      return z;
    }
    form_.rotate_back({z.data(), z.size()}, rows(z));
    return z;
  }

 private:
  std::size_t prompts_;
  tridiagonal_form form_;
  std::vector<double> eigenvalues_;
  std::vector<double> variation_;                       ///< |y_h|²
  matrix<double> rotated_ = make_matrix<double>(0, 0);  ///< Qᵀ Xᵀ y_h
};

}  // namespace uniroute::detail
