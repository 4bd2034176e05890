#pragma once

// The arrays of uniroute: row-major xtensor containers of fixed rank, and spans over their rows.
//
// This is the one place that includes xtensor. Embeddings are float32, statistics float64. Two-dimensional data
// are xt::xtensor<T, 2>; one-dimensional data are std::vector or std::span, which cannot broadcast by accident.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#if __has_include(<xtensor/containers/xtensor.hpp>)  // xtensor 0.26 sorted its headers into folders
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif

namespace uniroute {

/// Rows one after the other; the containers of every signature.
template <class T>
using matrix = xt::xtensor<T, 2>;

using embedding_matrix = matrix<float>;           ///< phi(x): n x D, one row a prompt
using loss_matrix = matrix<double>;               ///< losses in [0, 1]: n x M, `missing` where not observed
using cost_matrix = matrix<double>;               ///< costs >= 0: n x M
using membership_matrix = matrix<double>;         ///< Phi(x): n x K, rows on the simplex
using label_vector = std::vector<std::uint32_t>;  ///< hard memberships: one cell index a prompt

using embedding_view = std::span<const float>;  ///< one embedding, D values

/// n of an n x m matrix.
template <class T>
std::size_t rows(const matrix<T>& m) noexcept {
  return m.shape(0);
}

/// m of an n x m matrix.
template <class T>
std::size_t columns(const matrix<T>& m) noexcept {
  return m.shape(1);
}

/// Row i of m, as a span that lives as long as m does.
template <class T>
std::span<const T> row(const matrix<T>& m, std::size_t i) noexcept {
  return {m.data() + i * m.shape(1), m.shape(1)};
}

/// The same, to be written to.
template <class T>
std::span<T> row(matrix<T>& m, std::size_t i) noexcept {
  return {m.data() + i * m.shape(1), m.shape(1)};
}

/// An n x m matrix with undefined content. (`matrix<T>({n, m})` would be read as values by some overloads.)
template <class T>
matrix<T> make_matrix(std::size_t n, std::size_t m) {
  return matrix<T>::from_shape({n, m});
}

/// An n x m matrix filled with `value`.
template <class T>
matrix<T> make_matrix(std::size_t n, std::size_t m, T value) {
  auto out = matrix<T>::from_shape({n, m});
  out.fill(value);
  return out;
}

/// Column j of m, copied.
template <class T>
std::vector<T> column(const matrix<T>& m, std::size_t j) {
  std::vector<T> out(rows(m));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = m(i, j);
  return out;
}

/// The rows of m named by `indices`, in that order. Indices must be below rows(m).
template <class T>
matrix<T> take_rows(const matrix<T>& m, std::span<const std::size_t> indices) {
  auto out = make_matrix<T>(indices.size(), columns(m));
  for (std::size_t i = 0; i < indices.size(); ++i)
    std::copy_n(row(m, indices[i]).data(), columns(m), row(out, i).data());
  return out;
}

/// The entries of m at the named rows and columns, in that order. Indices must be within m.
template <class T>
matrix<T> take(const matrix<T>& m, std::span<const std::size_t> row_indices,
               std::span<const std::size_t> column_indices) {
  auto out = make_matrix<T>(row_indices.size(), column_indices.size());
  for (std::size_t i = 0; i < row_indices.size(); ++i) {
    for (std::size_t j = 0; j < column_indices.size(); ++j) out(i, j) = m(row_indices[i], column_indices[j]);
  }
  return out;
}

}  // namespace uniroute
