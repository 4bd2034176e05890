#pragma once

// Profiles that count what is not known against an LLM: routing that minds how wide a profile is.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/fwd.hpp>
#include <utility>

namespace uniroute {

/// How far `lower_confidence` moves an estimate.
struct lower_confidence_options {
  double deviations = 1;  ///< z: how many standard deviations of quality to take off; at least 0

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("deviations", of.deviations); }
};

/// Ψ_k(h) at the lower end of its quality, that is the upper end of its loss: Wilson's score bound at z deviations on
/// the effective counts of Base. An LLM that was hardly tried in a cell is not sent there on the luck of three prompts;
/// with as many outcomes everywhere nothing changes but the scale. With a Lagrangian rule this is the lower-confidence
/// rule. Not a guarantee (certificates are): the more LLMs, the more of them are lucky. z = 0 is Base; a cell without
/// counts keeps Base's fallback at z = 0 and is 1 otherwise.
template <class Base>
class lower_confidence {
  static_assert(estimator<Base>,
                "lower_confidence: Base must model estimator: fit(span of cell_statistics), "
                "estimate(cell_statistics).losses, save, load");
  static_assert(
      !estimator<Base> || counting_estimator<Base>,
      "lower_confidence: Base must model counting_estimator: estimate(cell_statistics) must return a profile, "
      "whose counts say how well each cell is known");

 public:
  static constexpr bool asks_for_outcomes = outcome_estimator<Base>;  ///< for the base

  /// Throws std::invalid_argument for negative or infinite deviations.
  explicit lower_confidence(lower_confidence_options options = {}, Base base = Base{})
      : options_(options), base_(std::move(base)) {
    detail::require(options.deviations >= 0 && std::isfinite(options.deviations), "lower_confidence: deviations is ",
                    options.deviations, ", but must be finite and at least 0");
  }

  void fit(std::span<const cell_statistics> seen) { base_.fit(seen); }

  /// s.observed must be at least 1.
  profile estimate(const cell_statistics& s) const {
    profile out = base_.estimate(s);
    const double z = options_.deviations;
    if (z == 0) return out;
    for (std::size_t k = 0; k < out.losses.size(); ++k) {
      const double n = out.counts[k], p = out.losses[k];
      if (!(n > 0)) {
        out.losses[k] = 1;
        continue;
      }
      const double spread = std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
      out.losses[k] = std::clamp((p + z * z / (2 * n) + z * spread) / (1 + z * z / n), 0.0, 1.0);
    }
    return out;
  }

  const lower_confidence_options& options() const noexcept { return options_; }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { lower_confidence(next.options_, next.base_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("base", of.base_);
    visit("options", of.options_);
  }

 private:
  lower_confidence_options options_;
  [[no_unique_address]] Base base_;
};

static_assert(counting_estimator<lower_confidence<cell_mean>>);

}  // namespace uniroute
