#pragma once

// Sixteen numbers side by side, as GCC and clang know them: for loops that compilers are seen not to turn into vectors
// by themselves. They split them where the machine's registers are narrower; results are those of a loop, lane by lane.

#include <cstddef>
#include <cstdint>

namespace uniroute::detail {

inline constexpr std::size_t lane_count = 16;

using float_lanes = float __attribute__((vector_size(64), aligned(4), may_alias));
using index_lanes = std::uint32_t __attribute__((vector_size(64), aligned(4), may_alias));

/// The lanes that lie from p on, which need not be aligned. (Vectors are never returned or passed by value: how they
/// are depends on the machine that is compiled for.)
inline const float_lanes& lanes(const float* p) noexcept { return *reinterpret_cast<const float_lanes*>(p); }
inline float_lanes& lanes(float* p) noexcept { return *reinterpret_cast<float_lanes*>(p); }
inline index_lanes& lanes(std::uint32_t* p) noexcept { return *reinterpret_cast<index_lanes*>(p); }

}  // namespace uniroute::detail
