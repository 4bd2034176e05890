#pragma once

// The log loss of γ = σ(W₂ a(W₁ x + b₁) + b₂) over LLMs, and its gradient: five GEMMs a batch.

#include <algorithm>
#include <cstddef>
#include <span>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/vector_math.hpp>
#include <vector>

namespace uniroute::detail {

/// How many numbers make a network, and where they lie: W₁ (H x D), b₁ (H), W₂ (M x H), b₂ (M), one after the other.
struct two_layer_shape {
  std::size_t inputs, width, models;  ///< D, H, M

  std::size_t hidden_offsets() const noexcept { return width * inputs; }
  std::size_t outputs() const noexcept { return hidden_offsets() + width; }
  std::size_t output_offsets() const noexcept { return outputs() + models * width; }
  std::size_t size() const noexcept { return output_offsets() + models; }
};

/// Loss and gradient of one batch of at most `batch` prompts. `rectified`: a(z) = max(z, 0); else a(z) = z. T is float
/// or double.
template <class T>
class two_layer_loss {
 public:
  two_layer_loss(two_layer_shape shape, bool rectified, std::size_t batch)
      : shape_(shape),
        rectified_(rectified),
        hidden_(batch * shape.width),
        hidden_slopes_(batch * shape.width),
        outputs_(batch * shape.models),
        terms_(batch * shape.models) {}

  /// The sum over observed outcomes of −[ℓ log γ + (1 − ℓ) log(1 − γ)]. x is count x D, targets and observed (0 or 1)
  /// count x M. The gradient of that sum divided by `divisor` is written unless it is empty.
  double operator()(std::span<const T> parameters, const T* x, const T* targets, const T* observed, std::size_t count,
                    T divisor, std::span<T> gradient) {
    const auto [d, width, models] = shape_;
    const T* w1 = parameters.data();
    const T* b1 = w1 + shape_.hidden_offsets();
    const T* w2 = w1 + shape_.outputs();
    const T* b2 = w1 + shape_.output_offsets();
    T* a = hidden_.data();
    T* o = outputs_.data();
    gemm<T>(op::as_is, op::transposed, count, width, d, 1, x, d, w1, d, 0, a, width);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < width; ++j) a[i * width + j] += b1[j];
    }
    if (rectified_) {
      for (std::size_t i = 0; i < count * width; ++i) a[i] = a[i] > 0 ? a[i] : 0;
    }
    gemm<T>(op::as_is, op::transposed, count, models, width, 1, a, width, w2, width, 0, o, models);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t h = 0; h < models; ++h) o[i * models + h] += b2[h];
    }
    // −ℓ log σ(o) − (1 − ℓ) log(1 − σ(o)) = max(o, 0) − ℓ o + log(1 + e^−|o|); the derivative is σ(o) − ℓ.
    const T share = 1 / divisor;
    for (std::size_t i = 0; i < count * models; ++i) {
      const T above = o[i] > 0 ? o[i] : 0, size = o[i] > 0 ? o[i] : -o[i];
      const T e = vector_exp(-size);
      const T sigmoid = (o[i] > 0 ? T{1} : e) / (1 + e);
      terms_[i] = observed[i] * (above - targets[i] * o[i] + vector_log(1 + e));
      o[i] = share * observed[i] * (sigmoid - targets[i]);
    }
    const double loss = lane_sum(terms_.data(), count * models);
    if (gradient.empty()) return loss;

    T* back = hidden_slopes_.data();
    gemm<T>(op::transposed, op::as_is, models, width, count, 1, o, models, a, width, 0,
            gradient.data() + shape_.outputs(), width);
    column_sums(o, count, models, gradient.data() + shape_.output_offsets());
    gemm<T>(op::as_is, op::as_is, count, width, models, 1, o, models, w2, width, 0, back, width);
    if (rectified_) {
      for (std::size_t i = 0; i < count * width; ++i) back[i] = a[i] > 0 ? back[i] : 0;
    }
    gemm<T>(op::transposed, op::as_is, width, d, count, 1, back, width, x, d, 0, gradient.data(), d);
    column_sums(back, count, width, gradient.data() + shape_.hidden_offsets());
    return loss;
  }

 private:
  static void column_sums(const T* values, std::size_t count, std::size_t width, T* out) noexcept {
    std::fill(out, out + width, T{0});
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < width; ++j) out[j] += values[i * width + j];
    }
  }

  two_layer_shape shape_;
  bool rectified_;
  std::vector<T> hidden_, hidden_slopes_, outputs_, terms_;
};

}  // namespace uniroute::detail
