#pragma once

// The one door to LAPACK: symmetric positive definite systems and symmetric eigenvalues, in float64, on row-major
// arrays (LAPACK reads them transposed, which for symmetric matrices is the same). One thread, so the same bits.

#include <xflens/cxxlapack/netlib/netlib.h>
#include <algorithm>
#include <cassert>
#include <cmath>
#include <complex>
#include <cstddef>
#include <optional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// The Cholesky factor of a symmetric positive definite matrix A = L Lᵀ (n x n). Made once, solved with often.
class cholesky {
 public:
  cholesky() = default;

  /// Empty if A is not positive definite to working precision. Reads the lower triangle of `a`. O(n³ / 3).
  static std::optional<cholesky> factor(matrix<double> a) {
    assert(rows(a) == columns(a));
    single_threaded_blas();
    int n = static_cast<int>(rows(a)), info = 0;
    if (n != 0) cxxlapack::dpotrf_("U", &n, a.data(), &n, &info);  // row-major lower is column-major upper
    if (info != 0) return std::nullopt;
    return cholesky(std::move(a));
  }

  std::size_t size() const noexcept { return rows(factor_); }  ///< n

  /// L, row-major, in the lower triangle; what stands above it has no meaning.
  const matrix<double>& lower() const noexcept { return factor_; }

  /// b = A⁻¹ b for `columns_of_b` right-hand sides, one after the other in memory (each n values). O(n²) each.
  void solve(std::span<double> b, std::size_t columns_of_b = 1) const noexcept {
    assert(b.size() == size() * columns_of_b);
    int n = static_cast<int>(size()), m = static_cast<int>(columns_of_b), info = 0;
    if (n == 0 || m == 0) return;
    single_threaded_blas();
    cxxlapack::dpotrs_("U", &n, &m, const_cast<double*>(factor_.data()), &n, b.data(), &n, &info);
    assert(info == 0);
  }

  /// log det A.
  double log_determinant() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < size(); ++i) sum += 2 * std::log(factor_(i, i));
    return sum;
  }

 private:
  explicit cholesky(matrix<double> factor) : factor_(std::move(factor)) {}

  matrix<double> factor_ = make_matrix<double>(0, 0);
};

/// Eigenvalues, largest first, and eigenvectors (row i belongs to value i; the first non-negligible entry is positive,
/// so that signs do not depend on the machine) of a symmetric matrix.
struct symmetric_eigen {
  std::vector<double> values;
  matrix<double> vectors = make_matrix<double>(0, 0);
};

/// Of the lower triangle of `a` (n x n, finite). O(n³). Empty if LAPACK does not converge.
inline std::optional<symmetric_eigen> eigen_decomposition(matrix<double> a) {
  assert(rows(a) == columns(a));
  single_threaded_blas();
  int n = static_cast<int>(rows(a)), info = 0, work_size = -1, integers_size = -1;
  symmetric_eigen out;
  out.values.resize(rows(a));
  if (n == 0) return out;
  double best_work = 0;
  int best_integers = 0;
  cxxlapack::dsyevd_("V", "U", &n, a.data(), &n, out.values.data(), &best_work, &work_size, &best_integers,
                     &integers_size, &info);
  work_size = static_cast<int>(best_work);
  integers_size = best_integers;
  std::vector<double> work(static_cast<std::size_t>(work_size));
  std::vector<int> integers(static_cast<std::size_t>(integers_size));
  cxxlapack::dsyevd_("V", "U", &n, a.data(), &n, out.values.data(), work.data(), &work_size, integers.data(),
                     &integers_size, &info);
  if (info != 0) return std::nullopt;
  // Column-major columns are our rows; LAPACK's order is rising.
  std::reverse(out.values.begin(), out.values.end());
  out.vectors = make_matrix<double>(rows(a), rows(a));
  for (std::size_t i = 0; i < rows(a); ++i) {
    const auto from = row(a, rows(a) - 1 - i);
    const auto first = std::find_if(from.begin(), from.end(), [](double v) { return std::fabs(v) > 1e-8; });
    const double sign = first != from.end() && *first < 0 ? -1 : 1;
    const auto to = row(out.vectors, i);
    for (std::size_t j = 0; j < from.size(); ++j) to[j] = sign * from[j];
  }
  return out;
}

}  // namespace uniroute::detail
