#pragma once

// The one door to BLAS. Calls are single-threaded, on tiles whose shapes the caller fixes from the problem alone:
// threads are ours (detail/parallel.hpp), so that they never change a bit.

#include <xflens/cxxblas/drivers/cblas.h>
#include <cassert>
#include <cstddef>

#if defined(__GNUC__)
extern "C" void openblas_set_num_threads(int) __attribute__((weak));
#endif

namespace uniroute::detail {

/// Tells OpenBLAS, where that is the BLAS, to use one thread. Called once a process.
inline void single_threaded_blas() noexcept {
#if defined(__GNUC__)
  static const bool done = [] {
    if (&openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
    return true;
  }();
  (void)done;
#endif
}

/// C = alpha A Bᵀ + beta C for row-major A (m x k), B (n x k), C (m x n) with given row strides.
/// C must not overlap A or B.
inline void gemm_nt(std::size_t m, std::size_t n, std::size_t k, float alpha, const float* a, std::size_t lda,
                    const float* b, std::size_t ldb, float beta, float* c, std::size_t ldc) noexcept {
  assert(lda >= k && ldb >= k && ldc >= n);
  if (m == 0 || n == 0) return;
  single_threaded_blas();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k),
              alpha, a, static_cast<int>(lda), b, static_cast<int>(ldb), beta, c, static_cast<int>(ldc));
}

}  // namespace uniroute::detail
