#pragma once

// How a deferral curve becomes a function of cost. Papers differ, so every metric carries its convention.

#include <string>
#include <string_view>

namespace uniroute {

/// What is laid over a curve before it is read.
enum class curve_envelope {
  none,             ///< the curve as it is
  running_maximum,  ///< best quality at this cost or below: rewards noise on the test prompts
  hull              ///< least concave majorant (RouterBench's non-decreasing convex hull): rewards it more
};

/// What a curve is between its points.
enum class curve_interpolation {
  linear,  ///< mixtures of neighbouring points: what a random choice between two λ achieves
  step     ///< the last point that can be afforded
};

/// The cost that counts as 1.
enum class curve_normaliser {
  pool_range,   ///< [cheapest, dearest] single model of the pool is [0, 1]
  dearest_cost  ///< the dearest single model's cost is 1
};

/// Anchor: the cheapest single model is joined on the left where the curve does not reach down to it, and the last
/// point extends flat to the right. Points are sorted by realised cost; those of equal cost are merged to their mean,
/// to the better where an envelope is laid over them. The default has no envelope: with one, a curve that is noisy on
/// the test prompts gains area from its noise.
struct curve_convention {
  curve_envelope envelope = curve_envelope::none;
  curve_interpolation interpolation = curve_interpolation::linear;
  curve_normaliser normaliser = curve_normaliser::pool_range;

  friend bool operator==(const curve_convention&, const curve_convention&) = default;
};

/// What every figure is computed by, unless it says otherwise.
inline constexpr curve_convention default_convention{};
/// The running maximum, as in the prototype whose figures were published with the tables.
inline constexpr curve_convention prototype_convention{curve_envelope::running_maximum};
/// RouterBench's: the hull.
inline constexpr curve_convention hull_convention{curve_envelope::hull};

/// In words, for reports.
constexpr std::string_view name_of(curve_envelope e) noexcept {
  return e == curve_envelope::none ? "none" : e == curve_envelope::hull ? "hull" : "running maximum";
}
/// In words, for reports.
constexpr std::string_view name_of(curve_interpolation i) noexcept {
  return i == curve_interpolation::linear ? "linear" : "step";
}
/// In words, for reports.
constexpr std::string_view name_of(curve_normaliser n) noexcept {
  return n == curve_normaliser::pool_range ? "range from the cheapest to the dearest model"
                                           : "cost of the dearest model";
}
/// The anchor of every convention in words.
inline constexpr std::string_view curve_anchor_name = "cheapest model on the left, flat on the right";

}  // namespace uniroute
