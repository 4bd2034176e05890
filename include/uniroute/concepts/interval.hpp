#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

namespace uniroute {

/// Losses are in [0, 1].
struct bounded_loss {};
/// Losses are 0 or 1. Every statement about bounded losses holds for them.
struct binary_loss {};

/// A two-sided interval for a mean, clipped to [0, 1].
struct interval {
  double lower = 0;
  double upper = 1;

  double width() const noexcept { return upper - lower; }
};

/// A confidence interval for the mean of i.i.d. losses from their sum.
///
/// Semantics: with probability at least 1 - delta, `make(sum, n, delta)` contains the mean of n i.i.d. losses whose sum
/// is `sum`, if they are of the kind `loss_type`; n = 0 gives [0, 1].
/// Satisfied by: hoeffding (bounded losses), exact_binomial (0-1 losses).
template <class I>
concept mean_interval = requires(double sum, std::size_t n, double delta) {
  typename I::loss_type;
  { I::make(sum, n, delta) } -> std::same_as<interval>;
};

/// Whether interval I may be used for losses of kind Loss.
template <class I, class Loss>
concept interval_for = mean_interval<I> &&
    (std::same_as<typename I::loss_type, bounded_loss> || std::same_as<typename I::loss_type, Loss>);

}  // namespace uniroute
