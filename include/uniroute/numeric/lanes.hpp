#pragma once

// Sixteen numbers side by side, as GCC and clang know them: for loops that compilers are seen not to turn into vectors
// by themselves. They split them where the machine's registers are narrower; results are those of a loop, lane by lane.

#include <cstddef>
#include <cstdint>

namespace uniroute::detail {

inline constexpr std::size_t lane_count = 16;

using float_lanes = float __attribute__((vector_size(64)));
using index_lanes = std::uint32_t __attribute__((vector_size(64)));

/// Lanes in memory, which need not be aligned: read or write `at`, but bind no reference to it. (A type of vectors with
/// a smaller alignment will not do: clang forgets it where a reference is made.)
template <class Lanes>
struct __attribute__((packed, may_alias)) lanes_in_memory {
  Lanes at;
};

/// The lanes that lie from p on. (Vectors are never returned or passed by value: how they are depends on the machine
/// that is compiled for.)
inline const lanes_in_memory<float_lanes>& lanes(const float* p) noexcept {
  return *reinterpret_cast<const lanes_in_memory<float_lanes>*>(p);
}
inline lanes_in_memory<float_lanes>& lanes(float* p) noexcept {
  return *reinterpret_cast<lanes_in_memory<float_lanes>*>(p);
}
inline lanes_in_memory<index_lanes>& lanes(std::uint32_t* p) noexcept {
  return *reinterpret_cast<lanes_in_memory<index_lanes>*>(p);
}

}  // namespace uniroute::detail
