#pragma once

// One call for intervals of every form: from the losses themselves.

#include <algorithm>
#include <cstddef>
#include <span>
#include <uniroute/concepts/interval.hpp>
#include <vector>

namespace uniroute {

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
  std::vector<double> unit(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) unit[i] = std::clamp((values[i] - low) / (high - low), 0.0, 1.0);
  const interval u = interval_of<I>(unit, delta);
  return {low + (high - low) * u.lower, low + (high - low) * u.upper};
}

}  // namespace uniroute
