#pragma once

// The mean loss of a cell.

#include <algorithm>
#include <cstddef>
#include <span>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/detail/state_members.hpp>

namespace uniroute {

/// What a cell without outcomes gets.
enum class empty_cell_fallback {
  overall_mean,  ///< the LLM's mean over all its observed outcomes
  one            ///< 1, the worst loss: a cell nobody tried is not entered
};

/// What `cell_mean` says of an empty cell.
struct cell_mean_options {
  empty_cell_fallback empty_cell = empty_cell_fallback::overall_mean;

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("empty_cell", of.empty_cell); }
};

/// Ψ̂_k = Σ_i Φ_ik ℓ_i / Σ_i Φ_ik over observed outcomes (UniRoute, equation 7; with soft memberships a ratio of means).
class cell_mean {
 public:
  explicit cell_mean(cell_mean_options options = {}) : options_(options) {}

  /// Learns nothing: each LLM is estimated from its own outcomes.
  void fit(std::span<const cell_statistics>) noexcept {}

  /// s.observed must be at least 1. counts are (Σ Φ)² / Σ Φ², which is n_k when memberships are hard (Kish 1965).
  profile estimate(const cell_statistics& s) const {
    profile out{std::vector<double>(s.size()), std::vector<double>(s.size(), 0.0)};
    const double overall = s.total / static_cast<double>(s.observed);
    for (std::size_t k = 0; k < s.size(); ++k) {
      if (s.weight[k] > least_weight) {
        out.losses[k] = std::clamp(s.sum[k] / s.weight[k], 0.0, 1.0);
        out.counts[k] = s.weight[k] * (s.weight[k] / s.squared_weight[k]);
      } else {
        out.losses[k] = options_.empty_cell == empty_cell_fallback::one ? 1.0 : overall;
      }
    }
    return out;
  }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { cell_mean(next.options_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("options", of.options_); }

 private:
  /// Soft memberships reach down to 1e-300, whose squares are 0: less than this of a prompt is an empty cell.
  static constexpr double least_weight = 1e-9;

  cell_mean_options options_;
};

static_assert(counting_estimator<cell_mean>);

}  // namespace uniroute
