#pragma once

// A matrix of random signs that is computed instead of stored: row r is a function of its key alone.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <uniroute/random.hpp>

namespace uniroute::detail {

/// Values are written in groups of this many.
inline constexpr std::size_t sign_lanes = 8;

/// The room that `add_signs` needs for `dimension` values.
constexpr std::size_t padded_dimension(std::size_t dimension) noexcept {
  return (dimension + sign_lanes - 1) / sign_lanes * sign_lanes;
}

/// out[j] += weight * s_j(key) for all j below padded_dimension(dimension), s_j(key) = ±1 from the bits of a SplitMix64
/// stream that starts at `key`. Additions only, each rounded once: the same bits whatever the compiler makes of it.
inline void add_signs(float weight, std::uint64_t key, float* out, std::size_t dimension) noexcept {
  constexpr std::size_t chunk = 32 * sign_lanes;
  const auto magnitude = std::bit_cast<std::uint32_t>(weight);
  const std::size_t end = padded_dimension(dimension);
  for (std::size_t first = 0; first < end; first += chunk) {
    std::array<std::uint32_t, sign_lanes> lanes;
    for (std::size_t l = 0; l < sign_lanes; l += 2) {
      const std::uint64_t bits = mix_bits(key);
      key += 0x9E3779B97F4A7C15;
      lanes[l] = static_cast<std::uint32_t>(bits);
      lanes[l + 1] = static_cast<std::uint32_t>(bits >> 32);
    }
    // Every step takes the top bit of each lane: one shift of the whole vector, where a bit per value would need many.
    const std::size_t stop = std::min(end, first + chunk);
    for (std::size_t j = first; j < stop; j += sign_lanes) {
      for (std::size_t l = 0; l < sign_lanes; ++l) {
        out[j + l] += std::bit_cast<float>(magnitude ^ (lanes[l] & 0x80000000u));
        lanes[l] <<= 1;
      }
    }
  }
}

}  // namespace uniroute::detail
