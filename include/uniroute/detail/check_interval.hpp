#pragma once

// What intervals refuse.

#include <cstddef>
#include <span>
#include <string_view>
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

}  // namespace uniroute::detail
