#pragma once

// Squared distances of embeddings: a fast float32 form for finding candidates, and the canonical float64 form that
// decides near-ties, so that a choice does not depend on tile shapes.

#include <array>
#include <cstddef>
#include <span>

namespace uniroute::detail {

/// The unit round-off of float32.
inline constexpr double float_unit = 0x1.0p-24;

/// A bound on the rounding error of a float32 score |c|² - 2 x·c, whatever the order of summation
/// (Higham 2002, section 3.1: |fl(x·c) - x·c| <= D u / (1 - D u) |x||c|).
inline double score_error(std::size_t dimension, double x_norm, double largest_norm) noexcept {
  const double d = static_cast<double>(dimension);
  return (2.2 * d + 8) * float_unit * largest_norm * (x_norm + largest_norm);
}

/// Σ (a_j - b_j)² in float64, summed in sixteen lanes: an order that nothing but the dimension fixes.
inline double squared_distance(const float* a, const float* b, std::size_t dimension) noexcept {
  std::array<double, 16> lanes{};
  std::size_t j = 0;
  for (; j + 16 <= dimension; j += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      const double difference = static_cast<double>(a[j + lane]) - static_cast<double>(b[j + lane]);
      lanes[lane] += difference * difference;
    }
  }
  for (std::size_t lane = 0; j < dimension; ++j, ++lane) {
    const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    lanes[lane] += difference * difference;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

/// Σ a_j b_j in float32, in sixteen lanes.
inline float dot(const float* a, const float* b, std::size_t dimension) noexcept {
  std::array<float, 16> lanes{};
  std::size_t j = 0;
  for (; j + 16 <= dimension; j += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane) lanes[lane] += a[j + lane] * b[j + lane];
  }
  for (std::size_t lane = 0; j < dimension; ++j, ++lane) lanes[lane] += a[j] * b[j];
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// Σ a_j b_j in float64, in sixteen lanes: an order that nothing but the dimension fixes.
inline double wide_dot(const float* a, const float* b, std::size_t dimension) noexcept {
  std::array<double, 16> lanes{};
  std::size_t j = 0;
  for (; j + 16 <= dimension; j += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane)
      lanes[lane] += static_cast<double>(a[j + lane]) * static_cast<double>(b[j + lane]);
  }
  for (std::size_t lane = 0; j < dimension; ++j, ++lane)
    lanes[lane] += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

/// Σ a_j² in float64.
inline double squared_norm(const float* a, std::size_t dimension) noexcept {
  std::array<double, 16> lanes{};
  std::size_t j = 0;
  for (; j + 16 <= dimension; j += 16) {
    for (std::size_t lane = 0; lane < 16; ++lane) {
      lanes[lane] += static_cast<double>(a[j + lane]) * static_cast<double>(a[j + lane]);
    }
  }
  for (std::size_t lane = 0; j < dimension; ++j, ++lane)
    lanes[lane] += static_cast<double>(a[j]) * static_cast<double>(a[j]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace uniroute::detail
