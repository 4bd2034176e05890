#pragma once

// exp and log of whole arrays, without branches, so that compilers vectorise them (<cmath>'s are calls that they do
// not). For float they are polynomials, portable to the bit; double goes to <cmath>.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace uniroute::detail {

/// e^x for x <= 88; below -87 it is e^-87. Relative error at most 3e-7 (Cody and Waite's reduction, Taylor to degree 6
/// in the reduced argument, which is at most log(2) / 2).
inline float vector_exp(float x) noexcept {
  const float bounded = x < -87.0F ? -87.0F : x;
  const float shifted = bounded * 1.44269504F + 12582912.0F;  // 1.5 · 2²³: rounds to an integer
  const float n = shifted - 12582912.0F;
  const float r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  float sum = 1.0F / 720;
  sum = sum * r + 1.0F / 120;
  sum = sum * r + 1.0F / 24;
  sum = sum * r + 1.0F / 6;
  sum = sum * r + 0.5F;
  sum = sum * r + 1.0F;
  sum = sum * r + 1.0F;
  const auto exponent = (static_cast<std::int32_t>(n) + 127) << 23;
  return sum * std::bit_cast<float>(exponent);
}

/// log x for normal x > 0. Absolute error at most 1.1e-6 for x in [1e-7, e] (the series of 2 artanh((m - 1) / (m +
/// 1))).
inline float vector_log(float x) noexcept {
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t exponent = (bits - 0x3F3504F3) >> 23;  // so that the mantissa lies in [√½, √2)
  const float mantissa = std::bit_cast<float>(bits - (exponent << 23));
  const float z = (mantissa - 1.0F) / (mantissa + 1.0F);
  const float square = z * z;
  float sum = 2.0F / 9;
  sum = sum * square + 2.0F / 7;
  sum = sum * square + 2.0F / 5;
  sum = sum * square + 2.0F / 3;
  sum = sum * square + 2.0F;
  return sum * z + static_cast<float>(exponent) * 0.693147181F;
}

inline double vector_exp(double x) noexcept { return std::exp(x); }
inline double vector_log(double x) noexcept { return std::log(x); }

/// Σ of `count` values in float64, in sixteen lanes: an order that nothing but the count fixes.
template <class T>
double lane_sum(const T* values, std::size_t count) noexcept {
  double lanes[16] = {};
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) lanes[lane] += static_cast<double>(values[i]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace uniroute::detail
