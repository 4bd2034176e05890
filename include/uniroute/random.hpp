#pragma once

// Portable random draws: the same numbers on every compiler and standard library.
// <random>'s engines are portable, its distributions are not.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace uniroute {

/// One step of SplitMix64 (Steele, Lea and Flood 2014) as a hash: mixes 64 bits well.
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// A seed for part `index` of a job seeded with `seed`: streams of different parts do not overlap in practice.
constexpr std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t index) noexcept {
  return mix_bits(mix_bits(seed) ^ mix_bits(index + 0x632BE59BD9B4E019));
}

/// The uniform number in [0, 1) of a 64-bit hash: its upper 53 bits.
constexpr double to_uniform(std::uint64_t bits) noexcept { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

/// xoshiro256** 1.0 (Blackman and Vigna 2018), a UniformRandomBitGenerator with portable draws.
/// Not thread-safe: give each task its own, seeded with `derive_seed`.
class random_engine {
 public:
  using result_type = std::uint64_t;

  explicit constexpr random_engine(std::uint64_t seed = 1) noexcept {
    for (auto& word : state_) word = mix_bits(seed += 0x9E3779B97F4A7C15);
  }

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

  constexpr result_type operator()() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform() noexcept { return to_uniform((*this)()); }

  /// Uniform among 0 … n - 1, without bias (rejection). n must be at least 1.
  constexpr std::size_t below(std::size_t n) noexcept {
    const std::uint64_t limit = max() - max() % n;
    std::uint64_t draw = (*this)();
    while (draw >= limit) draw = (*this)();
    return static_cast<std::size_t>(draw % n);
  }

  /// Standard normal (Box-Muller, the cosine half).
  double normal() noexcept {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_[4];
};

/// Fisher-Yates: every order equally likely.
template <class T>
void shuffle(std::span<T> values, random_engine& engine) noexcept {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[engine.below(i)]);
}

/// The same for a whole vector.
template <class T>
void shuffle(std::vector<T>& values, random_engine& engine) noexcept {
  shuffle(std::span<T>(values.data(), values.size()), engine);
}

/// A 64-bit hash of bytes (FNV-1a, then mixed). Stable across machines of one byte order.
inline std::uint64_t hash_bytes(const void* data, std::size_t size) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint64_t hash = 0xCBF29CE484222325;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001B3;
  return mix_bits(hash);
}

/// The same of the bytes of a text.
inline std::uint64_t hash_text(std::string_view text) noexcept { return hash_bytes(text.data(), text.size()); }

}  // namespace uniroute
