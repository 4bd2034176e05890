#pragma once

// Orders many numbers by radix: what is left of a deferral curve once its hulls are found.

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// A number, at least 0 and not NaN, and where it came from. Bits of such doubles are ordered as the doubles are.
struct sort_key {
  std::uint64_t bits;
  std::uint32_t index;

  sort_key() = default;
  sort_key(double value, std::uint32_t at) noexcept : bits(std::bit_cast<std::uint64_t>(value + 0.0)), index(at) {
    assert(value >= 0);
  }
  double value() const noexcept { return std::bit_cast<double>(bits); }
};

/// Sorts keys by value, equals in the order they came in. O(n): six counting passes of eleven bits, fewer where keys
/// share digits.
inline void sort_keys(std::vector<sort_key>& keys) {
  if (keys.size() < 256) {
    std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.bits < b.bits; });
    return;
  }
  constexpr std::size_t digit_bits = 11, digits = 6, values = std::size_t{1} << digit_bits;
  const auto digit_of = [](std::uint64_t bits, std::size_t digit) {
    return static_cast<std::size_t>(bits >> (digit * digit_bits)) & (values - 1);
  };
  std::vector<std::array<std::uint32_t, values>> counts(digits);
  for (const sort_key& key : keys) {
    for (std::size_t digit = 0; digit < digits; ++digit) ++counts[digit][digit_of(key.bits, digit)];
  }
  std::vector<sort_key> other(keys.size());
  for (std::size_t digit = 0; digit < digits; ++digit) {
    auto& starts = counts[digit];
    if (starts[digit_of(keys.front().bits, digit)] == keys.size()) continue;  // the same digit in all
    std::uint32_t sum = 0;
    for (std::uint32_t& start : starts) sum += std::exchange(start, sum);
    for (const sort_key& key : keys) other[starts[digit_of(key.bits, digit)]++] = key;
    std::swap(keys, other);
  }
}

}  // namespace uniroute::detail
