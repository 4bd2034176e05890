#pragma once

// An outcome that was not observed. It is never read as zero.

#include <bit>
#include <cmath>
#include <cstdint>

namespace uniroute {

/// The value of an outcome that is missing: a quiet NaN with the payload 1954, as R's NA_real_ has.
/// Other NaNs are refused at every public boundary, so that a NaN that came from a computation is an error and
/// not a silently missing value; inside the library a missing value that is used by mistake poisons the sum.
inline constexpr double missing = std::bit_cast<double>(std::uint64_t{0x7FF80000000007A2});

/// Whether an outcome is missing. Values behind the boundary are either missing or finite.
inline bool is_missing(double value) noexcept { return value != value; }

/// Whether a value is `missing` and no other NaN. For use at boundaries.
inline bool is_exactly_missing(double value) noexcept {
  return std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(missing);
}

namespace detail {

/// A loss, or what to take for it where it is missing.
inline double or_else(double loss, double otherwise) noexcept { return is_missing(loss) ? otherwise : loss; }

}  // namespace detail

}  // namespace uniroute
