#pragma once

// Checks at the public boundary. Messages read "function: thing is value, but must be rule".

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/errors.hpp>

namespace uniroute::detail {

/// False, but only once a template is used: for static_assert in what exists to be refused with a sentence.
template <class...>
inline constexpr bool accepted = false;

template <class T>
concept number = std::is_arithmetic_v<T>;

inline std::string to_text(std::string_view value) { return std::string(value); }

template <class T>
requires std::is_arithmetic_v<T> std::string to_text(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    // As printf's %.10g in the C locale: a program may have set another, with a decimal comma.
    char buffer[32];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, static_cast<double>(value), std::chars_format::general, 10).ptr;
    return {buffer, end};
  } else {
    return std::to_string(value);
  }
}

template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (out.append(to_text(parts)), ...);
  return out;
}

/// Throws Error(text(parts...)) unless `condition`. The message is composed only when it is needed.
template <class Error = std::invalid_argument, class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    throw Error(text(parts...));
}

/// Where the first value at `from` or after it that is not `good` stands, or values.size(). Sixty-four are looked at at
/// once: the common case has none, and is one pass over memory.
template <class T, class Good>
std::size_t first_bad(std::span<const T> values, Good good, std::size_t from = 0) noexcept {
  constexpr std::size_t width = 64;
  std::size_t i = from;
  for (; i + width <= values.size(); i += width) {
    std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t> bad = 0;  // as wide as T, for its lanes
    for (std::size_t lane = 0; lane < width; ++lane) bad += good(values[i + lane]) ? 0 : 1;
    if (bad != 0) break;
  }
  while (i < values.size() && good(values[i])) ++i;
  return i;
}

template <class T>
bool is_finite(T value) noexcept {
  return value - value == 0;  // unlike std::isfinite, nothing to call
}

/// Values of embeddings are at most this: float32 scores |c|² − 2 x·c of any dimension up to 2^32 then neither overflow
/// nor fall through comparisons as NaN, and neighbours are exact.
inline constexpr float largest_embedding = 1e14F;

template <class T>
bool is_usable(T value) noexcept {
  if constexpr (std::is_same_v<T, float>) {
    return (value < 0 ? -value : value) <= largest_embedding;  // NaN is not
  } else {
    return is_finite(value);
  }
}

/// What a value that is not usable must be.
template <class T>
std::string usable_rule(T value) {
  return is_finite(value) ? "at most 1e14 in magnitude: distances beyond overflow" : "finite";
}

/// Refuses NaN, infinities and embeddings that overflow, naming the first offender's row and column.
template <class T>
void check_finite(std::string_view function, std::string_view thing, const matrix<T>& values) {
  const T* data = values.data();
  const std::size_t i = first_bad(std::span<const T>(data, values.size()), is_usable<T>);
  if (i != values.size()) {
    throw std::domain_error(text(function, ": ", thing, "(", i / columns(values), ", ", i % columns(values), ") is ",
                                 static_cast<double>(data[i]), ", but must be ", usable_rule(data[i])));
  }
}

/// The same for a list of numbers.
inline void check_finite_values(std::string_view function, std::string_view thing, std::span<const double> values) {
  const std::size_t i = first_bad(values, is_finite<double>);
  if (i != values.size())
    throw std::domain_error(text(function, ": ", thing, "[", i, "] is ", values[i], ", but must be finite"));
}

inline void check_finite(std::string_view function, std::string_view thing, std::span<const float> values) {
  const std::size_t i = first_bad(values, is_usable<float>);
  if (i != values.size())
    throw std::domain_error(
        text(function, ": ", thing, "[", i, "] is ", values[i], ", but must be ", usable_rule(values[i])));
}

}  // namespace uniroute::detail
