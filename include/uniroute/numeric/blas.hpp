#pragma once

// The one door to BLAS. Calls are single-threaded, on tiles whose shapes the caller fixes from the problem alone:
// threads are ours (numeric/parallel.hpp), so that they never change a bit.

#include <xflens/cxxblas/drivers/cblas.h>
#include <cassert>
#include <cstddef>
#include <type_traits>

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

/// Whether a factor of a product is read transposed.
enum class op { as_is, transposed };

/// C = alpha op(A) op(B) + beta C for row-major C (m x n), op(A) m x k, op(B) k x n, with the row strides of the arrays
/// as they lie in memory. T is float or double. C must not overlap A or B.
template <class T>
void gemm(op op_a, op op_b, std::size_t m, std::size_t n, std::size_t k, T alpha, const T* a, std::size_t lda,
          const T* b, std::size_t ldb, T beta, T* c, std::size_t ldc) noexcept {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "gemm: T must be float or double");
  assert(lda >= (op_a == op::as_is ? k : m) && ldb >= (op_b == op::as_is ? n : k) && ldc >= n);
  if (m == 0 || n == 0) return;
  single_threaded_blas();
  const auto flag = [](op o) { return o == op::as_is ? CblasNoTrans : CblasTrans; };
  const auto integer = [](std::size_t value) { return static_cast<int>(value); };
  if constexpr (std::is_same_v<T, float>) {
    cblas_sgemm(CblasRowMajor, flag(op_a), flag(op_b), integer(m), integer(n), integer(k), alpha, a, integer(lda), b,
                integer(ldb), beta, c, integer(ldc));
  } else {
    cblas_dgemm(CblasRowMajor, flag(op_a), flag(op_b), integer(m), integer(n), integer(k), alpha, a, integer(lda), b,
                integer(ldb), beta, c, integer(ldc));
  }
}

/// C = alpha A Bᵀ + beta C for row-major A (m x k), B (n x k), C (m x n) with given row strides.
/// C must not overlap A or B.
inline void gemm_nt(std::size_t m, std::size_t n, std::size_t k, float alpha, const float* a, std::size_t lda,
                    const float* b, std::size_t ldb, float beta, float* c, std::size_t ldc) noexcept {
  gemm<float>(op::as_is, op::transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace uniroute::detail
