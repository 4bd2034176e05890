#pragma once

// A sparse matrix by rows, its products with dense blocks, and the leading directions of its row space.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// Row i has the entries starts[i] … starts[i + 1] - 1; columns need not be sorted.
struct sparse_rows {
  std::size_t width = 0;  ///< columns
  std::vector<std::size_t> starts{0};
  std::vector<std::uint32_t> columns;
  std::vector<float> values;

  std::size_t size() const noexcept { return starts.size() - 1; }

  /// out = A B for dense B (width x q). Rows go to threads, which change no bit.
  matrix<double> times(const matrix<double>& b, std::size_t threads) const {
    const std::size_t q = b.shape(1);
    auto out = make_matrix<double>(size(), q, 0.0);
    constexpr std::size_t block = 256;
    parallel_for((size() + block - 1) / block, threads, [&](std::size_t tile, std::size_t) {
      for (std::size_t i = tile * block; i < std::min(size(), (tile + 1) * block); ++i) {
        double* to = out.data() + i * q;
        for (std::size_t e = starts[i]; e < starts[i + 1]; ++e) {
          const double* from = b.data() + columns[e] * q;
          const double weight = static_cast<double>(values[e]);
          for (std::size_t j = 0; j < q; ++j) to[j] += weight * from[j];
        }
      }
    });
    return out;
  }

  sparse_rows transposed() const {
    sparse_rows out;
    out.width = size();
    out.starts.assign(width + 1, 0);
    for (const std::uint32_t c : columns) ++out.starts[c + 1];
    for (std::size_t c = 0; c < width; ++c) out.starts[c + 1] += out.starts[c];
    out.columns.resize(columns.size());
    out.values.resize(values.size());
    auto next = out.starts;
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t e = starts[i]; e < starts[i + 1]; ++e) {
        const std::size_t at = next[columns[e]]++;
        out.columns[at] = static_cast<std::uint32_t>(i);
        out.values[at] = values[e];
      }
    }
    return out;
  }
};

/// The eigenvectors of YᵀY with what is left of rounding: rows of the result, largest value first.
inline symmetric_eigen gram_eigen(const matrix<double>& y) {
  const std::size_t q = columns(y);
  auto gram = make_matrix<double>(q, q);
  gemm<double>(op::transposed, op::as_is, q, q, rows(y), 1, y.data(), q, y.data(), q, 0, gram.data(), q);
  auto found = eigen_decomposition(std::move(gram));
  if (!found) throw std::runtime_error("lsa: the eigenvalues did not converge");
  return std::move(*found);
}

/// An orthonormal basis of the columns of Y, strongest first: Y E Λ^(-1/2). Directions of less than 1e-7 of the largest
/// length are rounding and become zero.
inline matrix<double> orthonormal(const matrix<double>& y) {
  const std::size_t q = columns(y);
  const auto eigen = gram_eigen(y);
  auto turn = make_matrix<double>(q, q, 0.0);
  for (std::size_t a = 0; a < q; ++a) {
    if (!(eigen.values[a] > 1e-14 * eigen.values[0])) continue;
    for (std::size_t j = 0; j < q; ++j) turn(a, j) = eigen.vectors(a, j) / std::sqrt(eigen.values[a]);
  }
  auto out = make_matrix<double>(rows(y), q);
  gemm<double>(op::as_is, op::transposed, rows(y), q, q, 1, y.data(), q, turn.data(), q, 0, out.data(), q);
  return out;
}

/// The k leading right singular vectors of A as columns (width x k), by subspace iteration from a random start (Halko,
/// Martinsson and Tropp 2011, algorithm 4.4); those beyond the rank of A are zero.
inline matrix<double> leading_directions(const sparse_rows& a, std::size_t k, std::size_t oversampling,
                                         std::size_t iterations, std::uint64_t seed, std::size_t threads) {
  const std::size_t q = std::max<std::size_t>(1, std::min({k + oversampling, a.width, a.size()}));
  const auto back = a.transposed();
  auto basis = make_matrix<double>(a.width, q);
  for (std::size_t f = 0; f < a.width; ++f) {
    random_engine engine(derive_seed(seed, f));
    for (double& value : row(basis, f)) value = engine.normal();
  }
  for (std::size_t i = 0; i <= iterations; ++i)
    basis = orthonormal(back.times(orthonormal(a.times(basis, threads)), threads));
  // Turned so that the first direction explains most.
  const auto eigen = gram_eigen(a.times(basis, threads));
  auto out = make_matrix<double>(a.width, k, 0.0);
  const std::size_t kept = std::min(k, q);
  gemm<double>(op::as_is, op::transposed, a.width, kept, q, 1, basis.data(), q, eigen.vectors.data(), q, 0, out.data(),
               k);
  return out;
}

}  // namespace uniroute::detail
