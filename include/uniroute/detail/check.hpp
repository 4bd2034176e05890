#pragma once

// Checks at the public boundary. Messages read "function: thing is value, but must be rule".

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/missing.hpp>

namespace uniroute::detail {

inline std::string to_text(std::string_view value) { return std::string(value); }

template <class T>
requires std::is_arithmetic_v<T> std::string to_text(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    char buffer[32];
    const int length = std::snprintf(buffer, sizeof buffer, "%.10g", static_cast<double>(value));
    return {buffer, static_cast<std::size_t>(length)};
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

/// Where the first value that is not `good` stands, or values.size(). Sixty-four are looked at at once: the common case
/// has none, and is one pass over memory.
template <class T, class Good>
std::size_t first_bad(std::span<const T> values, Good good) noexcept {
  constexpr std::size_t width = 64;
  std::size_t i = 0;
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

/// Refuses NaN and infinities, naming the first offender's row and column.
template <class T>
void check_finite(std::string_view function, std::string_view thing, const matrix<T>& values) {
  const T* data = values.data();
  const std::size_t i = first_bad(std::span<const T>(data, values.size()), is_finite<T>);
  if (i != values.size()) {
    throw std::domain_error(text(function, ": ", thing, "(", i / columns(values), ", ", i % columns(values), ") is ",
                                 static_cast<double>(data[i]), ", but must be finite"));
  }
}

inline void check_finite(std::string_view function, std::string_view thing, std::span<const float> values) {
  const std::size_t i = first_bad(values, is_finite<float>);
  if (i != values.size())
    throw std::domain_error(text(function, ": ", thing, "[", i, "] is ", values[i], ", but must be finite"));
}

/// A loss is in [0, 1] or exactly `missing`.
inline bool is_loss(double value) noexcept { return (value >= 0 && value <= 1) || is_exactly_missing(value); }

/// Whether each value is in [0, 1]. Bits of doubles from 0 on are ordered as the doubles are, and integers compare in
/// fewer instructions: the sign of b | (1 - b) is set for what lies outside.
inline bool all_observed(std::span<const double> losses) noexcept {
  constexpr auto one = std::bit_cast<std::uint64_t>(1.0);
  const auto outside = [](double loss) {
    const auto bits = std::bit_cast<std::uint64_t>(loss + 0.0);  // -0 becomes 0
    return bits | (one - bits);
  };
  constexpr std::size_t width = 64;
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + width <= losses.size() && any >> 63 == 0; i += width) {
    for (std::size_t lane = 0; lane < width; ++lane) any |= outside(losses[i + lane]);
  }
  for (; i < losses.size(); ++i) any |= outside(losses[i]);
  return any >> 63 == 0;
}

/// `first` is the index of losses[0] in the whole column.
inline void check_losses(std::string_view function, std::string_view thing, std::span<const double> losses,
                         std::size_t first = 0) {
  if (all_observed(losses)) return;
  const auto observed = [](double value) { return value >= 0 && value <= 1; };
  for (std::size_t i = first_bad(losses, observed); i < losses.size();
       i += 1 + first_bad(losses.subspan(i + 1), observed)) {
    if (!is_exactly_missing(losses[i])) {
      throw std::domain_error(
          text(function, ": ", thing, "[", first + i, "] is ", losses[i], ", but must be in [0, 1] or missing"));
    }
  }
}

inline void check_losses(std::string_view function, std::string_view thing, const loss_matrix& losses) {
  if (all_observed({losses.data(), losses.size()})) return;
  for (std::size_t i = 0; i < rows(losses); ++i) {
    for (std::size_t j = 0; j < columns(losses); ++j) {
      if (!is_loss(losses(i, j))) {
        throw std::domain_error(
            text(function, ": ", thing, "(", i, ", ", j, ") is ", losses(i, j), ", but must be in [0, 1] or missing"));
      }
    }
  }
}

/// A cost is finite and at least zero.
inline void check_cost(std::string_view function, std::string_view thing, double cost) {
  if (!(cost >= 0 && std::isfinite(cost))) {
    throw std::domain_error(text(function, ": ", thing, " is ", cost, ", but must be finite and at least 0"));
  }
}

}  // namespace uniroute::detail
