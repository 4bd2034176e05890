#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace uniroute {

/// Losses are in [0, 1].
struct bounded_loss {};
/// Losses are 0 or 1. Every statement about bounded losses holds for them.
struct binary_loss {};

/// Covers with probability at least 1 − δ at every sample size.
struct finite_sample {};
/// Covers with probability 1 − δ in the limit of large samples only. Certificates refuse such intervals unless this
/// tag is handed to them.
struct asymptotic {};

/// A two-sided interval for a mean, clipped to [0, 1].
struct interval {
  double lower = 0;
  double upper = 1;

  double width() const noexcept { return upper - lower; }
};

/// What every kind of interval says of itself: the losses it holds for, and whether it holds at every sample size.
template <class I>
concept interval_kind = requires {
  typename I::loss_type;
  typename I::guarantee;
}
&&(std::same_as<typename I::loss_type, bounded_loss> ||
   std::same_as<typename I::loss_type, binary_loss>)&&(std::same_as<typename I::guarantee, finite_sample> ||
                                                       std::same_as<typename I::guarantee, asymptotic>);

/// A confidence interval for the mean of i.i.d. losses from their sum.
///
/// Semantics: with probability at least 1 - delta, `make(sum, n, delta)` contains the mean of n i.i.d. losses whose sum
/// is `sum`, if they are of the kind `loss_type` (for large n only, if `guarantee` is asymptotic); n = 0 gives [0, 1].
/// Throws std::invalid_argument for a delta outside (0, 1) or a sum outside [0, n].
/// Satisfied by: hoeffding, wilson (bounded losses), exact_binomial (0-1 losses).
template <class I>
concept mean_interval = interval_kind<I> && requires(double sum, std::size_t n, double delta) {
  { I::make(sum, n, delta) } -> std::same_as<interval>;
};

/// The same from the sum and the sum of squares: `make(sum, squares, n, delta)`.
/// Satisfied by: empirical_bernstein.
template <class I>
concept moment_interval = interval_kind<I> && requires(double sum, std::size_t n, double delta) {
  { I::make(sum, sum, n, delta) } -> std::same_as<interval>;
};

/// The same from the losses themselves: `make(values, delta)`. What it makes may depend on their order, but must cover
/// in any order, sorted ones too: rows of real tables are sorted. Satisfied by: betting.
template <class I>
concept sequence_interval = interval_kind<I> && requires(std::span<const double> values, double delta) {
  { I::make(values, delta) } -> std::same_as<interval>;
};

/// An interval for a ratio of means, the ψ with E[φ (ℓ − ψ)] = 0, from losses ℓ and weights φ in [0, 1]:
/// `make(values, weights, delta)`. What profiles of soft cells need.
/// Satisfied by: betting.
template <class I>
concept ratio_interval = interval_kind<I> && requires(std::span<const double> values, double delta) {
  { I::make(values, values, delta) } -> std::same_as<interval>;
};

/// Any of the three kinds.
template <class I>
concept any_interval = mean_interval<I> || moment_interval<I> || sequence_interval<I>;

/// Whether interval I may be used for losses of kind Loss.
template <class I, class Loss>
concept interval_for = any_interval<I> &&
    (std::same_as<typename I::loss_type, bounded_loss> || std::same_as<typename I::loss_type, Loss>);

/// Whether I (an interval, or a way to simultaneous ones) covers at every sample size.
template <class I>
concept finite_sample_guarantee = std::same_as<typename I::guarantee, finite_sample>;

}  // namespace uniroute
