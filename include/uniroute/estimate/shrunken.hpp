#pragma once

// Shrinkage of cell means towards the LLM's overall mean.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/fwd.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Where the strength of shrinkage comes from when it is not given.
enum class shrinkage_source {
  seen_models,  ///< pooled over the seen LLMs' training outcomes; the LLM's own column where there is none
  own_column    ///< the LLM's own validation outcomes
};

/// How strongly `shrunken` pulls.
struct shrunken_options {
  /// Pseudo-outcomes m at the overall mean. Not given: by empirical Bayes.
  std::optional<double> strength = {};
  shrinkage_source source = shrinkage_source::seen_models;

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("strength", of.strength);
    visit("source", of.source);
  }
};

/// Ψ̃_k = (n_k Ψ̂_k + m μ) / (n_k + m), with Ψ̂ and n of Base and μ the LLM's overall mean; m = σ²/τ² where σ² is the
/// variance of losses within cells and τ² the variance of cell means, by the moment estimator of DerSimonian and Laird
/// (1986) with weights n_k. Differs from the paper, which does not shrink: unshrunk cells fall below ZeroRouter on real
/// tables. No variance between cells gives m = infinity, that is the overall mean in every cell.
template <class Base>
class shrunken {
  static_assert(estimator<Base>,
                "shrunken: Base must model estimator: fit(span of cell_statistics), estimate(cell_statistics).losses, "
                "save, load");
  static_assert(!estimator<Base> || counting_estimator<Base>,
                "shrunken: Base must model counting_estimator: estimate(cell_statistics) must return a profile, whose "
                "counts say how much to shrink each cell");

 public:
  static constexpr bool asks_for_outcomes = outcome_estimator<Base>;  ///< for the base

  /// Throws std::invalid_argument for a negative or NaN strength (infinity is legal: the overall mean everywhere).
  explicit shrunken(shrunken_options options = {}, Base base = Base{}) : options_(options), base_(std::move(base)) {
    detail::require(!options.strength || *options.strength >= 0, "shrunken: strength is ", options.strength.value_or(0),
                    ", but must be at least 0");
  }

  /// Refused with a sentence: options are named, `shrunken{{.strength = 5}}`.
  template <detail::number N>
  explicit shrunken(N) : shrunken() {
    static_assert(detail::accepted<N>, "shrunken: options are named: shrunken{{.strength = 5}}");
  }

  /// Pools the strength over the seen LLMs' statistics; LLMs without outcomes are left out.
  void fit(std::span<const cell_statistics> seen) {
    Base base = base_;
    base.fit(seen);
    moments pooled;
    for (const auto& s : seen) {
      if (s.observed != 0) pooled.add(s, base.estimate(s));
    }
    base_ = std::move(base);
    pooled_strength_ = pooled.usable() ? std::optional(pooled.strength()) : std::nullopt;
  }

  /// s.observed must be at least 1.
  profile estimate(const cell_statistics& s) const {
    profile out = base_.estimate(s);
    const double m = strength(s, out);
    const double overall = s.total / static_cast<double>(s.observed);
    for (std::size_t k = 0; k < out.losses.size(); ++k) {
      const double own = std::isinf(m) ? 0 : (out.counts[k] + m > 0 ? out.counts[k] / (out.counts[k] + m) : 1);
      out.losses[k] = std::clamp(overall + own * (out.losses[k] - overall), 0.0, 1.0);
    }
    return out;
  }

  /// The strength m pooled over the seen LLMs, if `fit` saw any that tell it.
  std::optional<double> pooled_strength() const noexcept { return pooled_strength_; }

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      shrunken(next.options_, next.base_);
      detail::require_state(!next.pooled_strength_ || *next.pooled_strength_ >= 0,
                            "pooled_strength must be none or one number, at least 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("base", of.base_);
    visit("options", of.options_);
    visit("pooled_strength", of.pooled_strength_);
  }

 private:
  /// Sums over LLMs of the moment equations: E[Q] = (K - 1) σ² + (N - Σ n_k²/N) τ², and σ² from within cells.
  struct moments {
    double between = 0;       // Σ_h Σ_k n_k (Ψ̂_k - μ)²
    double between_free = 0;  // Σ_h (cells - 1)
    double spread = 0;        // Σ_h (N - Σ n_k² / N)
    double within = 0;        // Σ_h Σ_k n_k Ψ̂_k (1 - Ψ̂_k): exact for 0-1 losses, an upper bound for graded ones
    double within_free = 0;   // Σ_h (N - cells)

    void add(const cell_statistics& s, const profile& p) {
      double n = 0;
      double squares = 0;
      double cells = 0;
      double sum = 0;
      for (std::size_t k = 0; k < s.size(); ++k) {
        if (p.counts[k] <= 0) continue;
        n += p.counts[k];
        squares += p.counts[k] * p.counts[k];
        cells += 1;
        sum += p.counts[k] * p.losses[k];
      }
      if (cells < 2) return;
      const double mean = sum / n;
      for (std::size_t k = 0; k < s.size(); ++k) {
        if (p.counts[k] <= 0) continue;
        between += p.counts[k] * (p.losses[k] - mean) * (p.losses[k] - mean);
        within += p.counts[k] * p.losses[k] * (1 - p.losses[k]);
      }
      between_free += cells - 1;
      within_free += std::max(0.0, n - cells);
      spread += n - squares / n;
    }

    bool usable() const noexcept { return spread > 0 && within_free > 0; }

    double strength() const noexcept {
      const double variance = within / within_free;
      const double tau = (between - between_free * variance) / spread;
      if (variance <= 0) return 0;
      return tau > 0 ? variance / tau : std::numeric_limits<double>::infinity();
    }
  };

  double strength(const cell_statistics& s, const profile& p) const {
    if (options_.strength) return *options_.strength;
    if (options_.source == shrinkage_source::seen_models && pooled_strength_) return *pooled_strength_;
    moments own;
    own.add(s, p);
    return own.usable() ? own.strength() : std::numeric_limits<double>::infinity();
  }

  shrunken_options options_;
  [[no_unique_address]] Base base_;
  std::optional<double> pooled_strength_;
};

static_assert(counting_estimator<shrunken_mean>);

}  // namespace uniroute
