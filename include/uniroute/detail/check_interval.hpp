#pragma once

// What intervals refuse.

#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check.hpp>

namespace uniroute::detail {

inline void check_delta(std::string_view function, double delta) {
  require(delta > 0 && delta < 1, function, ": delta is ", delta, ", but must be between 0 and 1");
}

/// The sum of n losses in [0, 1], up to rounding.
inline void check_sum(std::string_view function, double sum, std::size_t n) {
  const double all = static_cast<double>(n);
  require(sum >= -1e-9 * all && sum <= all * (1 + 1e-9), function, ": sum is ", sum,
          ", but must be from 0 to n = ", all);
}

/// The interval of two ends that were found one by one. Throws std::domain_error where the lower is above the upper:
/// then no value is compatible with the sample, and a number would be a wrong one.
inline interval checked_interval(std::string_view function, double lower, double upper) {
  require<std::domain_error>(lower <= upper, function, ": the lower end is ", lower, " and the upper ", upper,
                             ", but lower must not be above upper: no mean is compatible with the sample");
  return {lower, upper};
}

}  // namespace uniroute::detail
