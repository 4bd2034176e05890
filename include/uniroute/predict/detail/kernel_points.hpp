#pragma once

// One way to use kernels of features and kernels of values alike, and their products.

#include <cstddef>
#include <span>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/numeric/blas.hpp>
#include <vector>

namespace uniroute::detail {

/// For kernels that need no points of their own.
struct no_points {};

template <class Kernel>
struct points_for {
  using type = no_points;
};
template <gram_kernel Kernel>
struct points_for<Kernel> {
  using type = typename Kernel::points;
};
template <feature_kernel Kernel>
struct points_for<Kernel> {
  using type = matrix<double>;
};

/// What prompts are kept as: features, or the kernel's own points.
template <class Kernel>
using points_of = typename points_for<Kernel>::type;

inline matrix<double> widen(const embedding_matrix& x) {
  auto out = make_matrix<double>(rows(x), columns(x));
  for (std::size_t at = 0; at < x.size(); ++at) out.data()[at] = static_cast<double>(x.data()[at]);
  return out;
}

/// A Bᵀ (n x m).
inline matrix<double> product_of_rows(const matrix<double>& a, const matrix<double>& b) {
  auto out = make_matrix<double>(rows(a), rows(b));
  gemm<double>(op::as_is, op::transposed, rows(a), rows(b), columns(a), 1, a.data(), columns(a), b.data(), columns(b),
               0, out.data(), rows(b));
  return out;
}

template <class Kernel>
points_of<Kernel> place_points(const Kernel& k, const embedding_matrix& x) {
  if constexpr (feature_kernel<Kernel>) {
    return k.features(x);
  } else {
    return k.place(x);
  }
}

template <class Kernel>
matrix<double> gram_of(const Kernel& k, const points_of<Kernel>& a, const points_of<Kernel>& b) {
  if constexpr (feature_kernel<Kernel>) {
    return product_of_rows(a, b);
  } else {
    return k.gram(a, b);
  }
}

template <class Kernel>
void gram_of(const Kernel& k, embedding_view one, const points_of<Kernel>& b, std::span<double> out) {
  if constexpr (feature_kernel<Kernel>) {
    thread_local std::vector<double> features;
    features.resize(k.feature_count());
    k.features(one, std::span<double>(features));
    for (std::size_t j = 0; j < out.size(); ++j) {
      const auto f = row(b, j);
      double sum = 0;
      for (std::size_t i = 0; i < f.size(); ++i) sum += features[i] * f[i];
      out[j] = sum;
    }
  } else {
    k.gram(one, b, out);
  }
}

template <class Kernel>
std::size_t shapes_of(const Kernel& k) {
  if constexpr (tunable_kernel<Kernel>) {
    return k.shapes();
  } else {
    return 1;
  }
}

template <class Kernel>
void choose_shape(Kernel& k, std::size_t shape) {
  if constexpr (tunable_kernel<Kernel>) k.choose(shape);
}

}  // namespace uniroute::detail
