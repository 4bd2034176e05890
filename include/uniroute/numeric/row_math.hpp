#pragma once

// exp, GELU, softmax and layer norm over float32 rows, in lanes that compilers turn into vectors of any width.
//
// Every operation is a multiplication, addition, division or choice that is rounded once: the same bits at every vector
// width, and no -ffast-math. Errors are measured against float64 over the whole range (tests/detail/row_math.cpp).

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace uniroute::detail {

/// Sums and maxima are kept in this many lanes.
inline constexpr std::size_t math_lanes = 16;

/// e^x for x <= 0, to 2.2e-7 of itself; below -87, which is 1.6e-38, it stays there.
[[gnu::always_inline]] inline float exp_not_positive(float x) noexcept {
  constexpr float round = 0x1.8p23F;  // adding it leaves a whole number in the low bits
  // Among numbers up to 0 the larger pattern is the lower number. (A choice between floats makes g++ branch.)
  x = std::bit_cast<float>(std::min(std::bit_cast<std::uint32_t>(x), std::bit_cast<std::uint32_t>(-87.0F)));
  const float shifted = x * 1.44269504F + round;
  const float n = shifted - round;
  const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;  // ln 2 in two parts (Cody and Waite 1980)
  // Minimax on |r| <= ln 2 / 2: 1.9e-9.
  float p = 0.00138294116F;
  p = p * r + 0.0083747778F;
  p = p * r + 0.0416683585F;
  p = p * r + 0.166664208F;
  p = p * r + 0.499999915F;
  p = p * r + 1.00000004F;
  p = p * r + 1.0F;
  return p * std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3F800000u);
}

/// x Φ(x) = x (1 + erf(x / √2)) / 2 (Hendrycks and Gimpel 2016), to 1e-7 + 1.2e-7 |x|.
/// As max(x, 0) - |x| Φ(-|x|), Φ(-t) = e^(-t²/2) R(t), so that both tails are right; R, which falls smoothly from 1/2,
/// is a polynomial in (t - 3.1) / (t + 3.1) (minimax on [0, 6]: 5e-8 of itself).
[[gnu::always_inline]] inline float gelu(float x) noexcept {
  const float t = std::fabs(x);
  const float u = (t - 3.1F) / (t + 3.1F);
  float p = -0.000386257884F;
  p = p * u + -0.0012809421F;
  p = p * u + 0.00233465993F;
  p = p * u + 0.008721509F;
  p = p * u + -0.0497857587F;
  p = p * u + 0.124213667F;
  p = p * u + -0.202345191F;
  p = p * u + 0.118163217F;
  const float tail = t * p * exp_not_positive(-0.5F * t * t);
  return 0.5F * (x + t) - tail;  // the first term is max(x, 0), exactly
}

/// values[j] = gelu(values[j] + bias[j]).
[[gnu::always_inline]] inline void add_bias_gelu(float* values, const float* bias, std::size_t count) noexcept {
  std::size_t j = 0;
  for (; j + math_lanes <= count; j += math_lanes) {
    for (std::size_t l = 0; l < math_lanes; ++l) values[j + l] = gelu(values[j + l] + bias[j + l]);
  }
  for (; j < count; ++j) values[j] = gelu(values[j] + bias[j]);
}

/// values[j] += bias[j].
[[gnu::always_inline]] inline void add_bias(float* values, const float* bias, std::size_t count) noexcept {
  for (std::size_t j = 0; j < count; ++j) values[j] += bias[j];
}

/// Σ term(j) over j below count, in lanes.
template <class Term>
[[gnu::always_inline]] inline float sum_in_lanes(std::size_t count, Term&& term) noexcept {
  std::array<float, math_lanes> lanes{};
  std::size_t j = 0;
  for (; j + math_lanes <= count; j += math_lanes) {
    for (std::size_t l = 0; l < math_lanes; ++l) lanes[l] += term(j + l);
  }
  for (std::size_t l = 0; j < count; ++j, ++l) lanes[l] += term(j);
  double sum = 0;
  for (const float lane : lanes) sum += static_cast<double>(lane);
  return static_cast<float>(sum);
}

/// The largest of count >= 1 finite values. Compared as whole numbers in the same order, which vectorises.
[[gnu::always_inline]] inline float largest_of(const float* values, std::size_t count) noexcept {
  const auto flip = [](std::int32_t bits) __attribute__((always_inline)) { return bits ^ (bits >> 31 & 0x7FFFFFFF); };
  std::array<std::int32_t, math_lanes> lanes;
  lanes.fill(flip(std::bit_cast<std::int32_t>(values[0])));
  std::size_t j = 0;
  for (; j + math_lanes <= count; j += math_lanes) {
    for (std::size_t l = 0; l < math_lanes; ++l)
      lanes[l] = std::max(lanes[l], flip(std::bit_cast<std::int32_t>(values[j + l])));
  }
  for (; j < count; ++j) lanes[0] = std::max(lanes[0], flip(std::bit_cast<std::int32_t>(values[j])));
  return std::bit_cast<float>(flip(*std::max_element(lanes.begin(), lanes.end())));
}

/// values = exp(values) / Σ exp(values). count must be at least 1, values finite.
[[gnu::always_inline]] inline void softmax(float* values, std::size_t count) noexcept {
  const float largest = largest_of(values, count);
  const float sum = sum_in_lanes(
      count, [&](std::size_t i) __attribute__((always_inline)) {
        values[i] = exp_not_positive(values[i] - largest);
        return values[i];
      });
  const float scale = 1 / sum;
  for (std::size_t i = 0; i < count; ++i) values[i] *= scale;
}

/// values = scale × (values - mean) / √(variance + epsilon) + shift (Ba, Kiros and Hinton 2016).
[[gnu::always_inline]] inline void layer_norm(float* values, const float* scale, const float* shift, std::size_t count,
                                              float epsilon) noexcept {
  const float n = static_cast<float>(count);
  const float mean = sum_in_lanes(
                         count, [&](std::size_t j) __attribute__((always_inline)) { return values[j]; }) /
                     n;
  const float variance = sum_in_lanes(
                             count,
                             [&](std::size_t j) __attribute__((always_inline)) {
                               const float centred = values[j] - mean;
                               return centred * centred;
                             }) /
                         n;
  const float inverse = 1 / std::sqrt(variance + epsilon);
  for (std::size_t j = 0; j < count; ++j) values[j] = (values[j] - mean) * inverse * scale[j] + shift[j];
}

}  // namespace uniroute::detail
