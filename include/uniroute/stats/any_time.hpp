#pragma once

// Intervals that may be looked at again and again while the sample grows.

#include <cstddef>
#include <span>
#include <uniroute/concepts/interval.hpp>

namespace uniroute {

/// Interval I for every sample size at once: at n it is made at level δ / (n (n + 1)), and these sum to less than δ.
/// Take it where labels are bought until a certificate is small enough (`more_labels` in a loop): how many there are
/// then depends on what they said, and each look spends δ. Without it such a loop was wrong in a fifth of runs at δ =
/// .05. Wider by about the square root of 1 + 2 log n / log(1 / δ).
template <any_interval I>
struct any_time {
  using loss_type = typename I::loss_type;
  using guarantee = typename I::guarantee;
  static constexpr bool any_count = true;  ///< holds for all sample sizes at once

  /// The part of delta at n.
  static double part(std::size_t n, double delta) noexcept {
    const double count = static_cast<double>(n);
    return n == 0 ? delta : delta / (count * (count + 1));
  }

  static interval make(double sum, std::size_t n, double delta) requires mean_interval<I> {
    return I::make(sum, n, part(n, delta));
  }
  static interval make(double sum, double squares, std::size_t n, double delta) requires moment_interval<I> {
    return I::make(sum, squares, n, part(n, delta));
  }
  static interval make(std::span<const double> values, double delta) requires sequence_interval<I> {
    return I::make(values, part(values.size(), delta));
  }
};

}  // namespace uniroute
