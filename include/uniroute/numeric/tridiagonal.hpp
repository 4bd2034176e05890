#pragma once

// A symmetric matrix brought to tridiagonal form once, A = Q T Qᵀ: then A + s I is solved, and its determinant known,
// in O(n) for every s. What a search over ridge strengths needs, at a sixth of the cost of eigenvectors.

#include <xflens/cxxlapack/netlib/netlib.h>

#include <algorithm>
#include <cassert>
#include <complex>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

class tridiagonal_form {
 public:
  /// Reads the lower triangle of `a` (n x n, finite). O(4 n³ / 3).
  explicit tridiagonal_form(matrix<double> a) : reflectors_(std::move(a)) {
    assert(rows(reflectors_) == columns(reflectors_));
    single_threaded_blas();
    int n = static_cast<int>(size()), info = 0, work_size = -1;
    diagonal_.resize(size());
    beside_.resize(size() > 1 ? size() - 1 : 0);
    scales_.resize(beside_.size());
    if (n == 0) return;
    double best = 0;
    cxxlapack::dsytrd_("U", &n, reflectors_.data(), &n, diagonal_.data(), beside_.data(), scales_.data(), &best,
                       &work_size, &info);
    work_size = static_cast<int>(best);
    std::vector<double> work(static_cast<std::size_t>(work_size));
    cxxlapack::dsytrd_("U", &n, reflectors_.data(), &n, diagonal_.data(), beside_.data(), scales_.data(), work.data(),
                       &work_size, &info);
    assert(info == 0);
  }

  std::size_t size() const noexcept { return rows(reflectors_); }  ///< n

  /// b = Qᵀ b for `count` vectors, one after the other in memory. O(2 n²) each.
  void rotate(std::span<double> b, std::size_t count) const { turn("T", b, count); }
  /// b = Q b.
  void rotate_back(std::span<double> b, std::size_t count) const { turn("N", b, count); }

  /// b = (T + shift I)⁻¹ b for `count` vectors. False, with b undefined, if the matrix is not positive definite. O(n).
  bool solve(double shift, std::span<double> b, std::size_t count) const {
    assert(b.size() == size() * count);
    std::vector<double> d(diagonal_), e(beside_);
    for (double& v : d) v += shift;
    int n = static_cast<int>(size()), m = static_cast<int>(count), info = 0;
    if (n == 0 || m == 0) return true;
    cxxlapack::dptsv_(&n, &m, d.data(), e.data(), b.data(), &n, &info);
    return info == 0;
  }

  /// Rising. Negative ones of rounding are 0 (for semidefinite matrices). Empty if LAPACK does not converge.
  std::vector<double> eigenvalues() const {
    std::vector<double> d(diagonal_), e(beside_);
    int n = static_cast<int>(size()), info = 0;
    if (n != 0) cxxlapack::dsterf_(&n, d.data(), e.data(), &info);
    if (info != 0) return {};
    for (double& v : d) v = std::max(v, 0.0);
    return d;
  }

 private:
  void turn(const char* transposed, std::span<double> b, std::size_t count) const {
    assert(b.size() == size() * count);
    int n = static_cast<int>(size()), m = static_cast<int>(count), info = 0, work_size = -1;
    if (n == 0 || m == 0) return;
    single_threaded_blas();
    double best = 0;
    cxxlapack::dormtr_("L", "U", transposed, &n, &m, reflectors_.data(), &n, scales_.data(), b.data(), &n, &best,
                       &work_size, &info);
    work_size = static_cast<int>(best);
    std::vector<double> work(static_cast<std::size_t>(work_size));
    cxxlapack::dormtr_("L", "U", transposed, &n, &m, reflectors_.data(), &n, scales_.data(), b.data(), &n, work.data(),
                       &work_size, &info);
    assert(info == 0);
  }

  matrix<double> reflectors_;  ///< LAPACK's column-major upper triangle
  std::vector<double> diagonal_, beside_, scales_;
};

}  // namespace uniroute::detail
