#pragma once

// One call for intervals of every form: from the losses themselves.

#include <algorithm>
#include <cstddef>
#include <span>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <vector>

namespace uniroute {

namespace detail {

/// Values of [low, high] on the scale of [0, 1].
inline std::vector<double> to_unit(std::span<const double> values, double low, double high) {
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = std::clamp((values[i] - low) / (high - low), 0.0, 1.0);
  return out;
}

}  // namespace detail

/// Interval I for the mean of `values` (in [0, 1], none missing). Throws what I::make throws.
template <any_interval I>
interval interval_of(std::span<const double> values, double delta) {
  if constexpr (sequence_interval<I>) {
    return I::make(values, delta);
  } else {
    double sum = 0, squares = 0;
    for (const double v : values) {
      sum += v;
      squares += v * v;
    }
    if constexpr (moment_interval<I>) {
      return I::make(sum, squares, values.size(), delta);
    } else {
      return I::make(sum, values.size(), delta);
    }
  }
}

/// The same for values in [low, high], which must be finite with low < high; the interval is in their unit.
template <any_interval I>
interval interval_of(std::span<const double> values, double low, double high, double delta) {
  const interval u = interval_of<I>(detail::to_unit(values, low, high), delta);
  return {low + (high - low) * u.lower, low + (high - low) * u.upper};
}

/// An upper confidence bound alone, for values in [low, high]: above the mean with probability at least 1 − delta, in
/// the values' unit. All of delta is spent on it where I has a one-sided form (`I::upper(values, delta)`) or says that
/// its two ends fail equally often (`I::equal_tailed`, delta below 1/2); else it is the upper end of the interval.
/// Throws what I throws.
template <any_interval I>
double upper_bound_of(std::span<const double> values, double low, double high, double delta) {
  if constexpr (requires { I::upper(values, delta); }) {
    return low + (high - low) * I::upper(detail::to_unit(values, low, high), delta);
  } else {
    double part = delta;
    if constexpr (requires { requires I::equal_tailed; }) part = delta < 0.5 ? 2 * delta : delta;
    return interval_of<I>(values, low, high, part).upper;
  }
}

namespace detail {

/// An interval for a mean of which some values are only known to be between two bounds.
template <any_interval Interval>
interval interval_between(std::span<const double> low, std::span<const double> high, double from, double to,
                          double delta) {
  if (!(to > from)) return {from, from};
  const interval below = interval_of<Interval>(low, from, to, delta);
  if (std::equal(low.begin(), low.end(), high.begin())) return below;
  return checked_interval("interval_between", below.lower, interval_of<Interval>(high, from, to, delta).upper);
}

}  // namespace detail

}  // namespace uniroute
