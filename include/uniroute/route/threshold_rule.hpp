#pragma once

// Two models: ask the dearer one where it is expected to be better by at least a threshold.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// From which difference on `threshold_rule` asks the dearer LLM.
struct threshold_rule_options {
  double threshold = 0.1;  ///< least expected gain in quality that is worth the dearer model; in [-1, 1]

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("threshold", of.threshold); }
};

/// The dearer model if γ̂(x, cheap) − γ̂(x, dear) >= threshold, else the cheaper (RouteLLM, Ong et al. 2024).
/// With one cost per model it is the Lagrangian rule at λ = threshold / (c(dear) − c(cheap)).
/// Takes a pool whose type says that it has two models, and no other: see `fix_pool<2>`.
/// Const members are thread-safe and allocate nothing.
class threshold_rule {
 public:
  /// Throws std::invalid_argument for a threshold outside [-1, 1].
  explicit threshold_rule(threshold_rule_options options = {}) : options_(options) {
    detail::require(std::fabs(options.threshold) <= 1, "threshold_rule: threshold is ", options.threshold,
                    ", but must be in [-1, 1]");
  }

  /// 0 or 1. Equal costs: the lower index counts as the cheaper.
  std::size_t choose(const candidates<2>& c) const noexcept {
    const std::size_t dear = c.costs[1] >= c.costs[0] ? 1 : 0;
    return c.losses[1 - dear] - c.losses[dear] >= options_.threshold ? dear : 1 - dear;
  }

  /// What an experiment sweeps: this rule at every threshold at which a choice of the sample changes, from all to the
  /// cheaper to all to the dearer. `losses` and `costs` are n x 2. Throws std::invalid_argument for shapes.
  std::vector<std::pair<double, threshold_rule>> along(const loss_matrix& losses, const cost_matrix& costs) const {
    detail::require(columns(losses) == 2 && rows(losses) == rows(costs) && columns(costs) == 2,
                    "threshold_rule::along: losses is ", rows(losses), " x ", columns(losses),
                    ", but must be n x 2, as costs must");
    std::vector<double> at{1.0, -1.0};
    for (std::size_t i = 0; i < rows(losses); ++i) {
      const std::size_t dear = costs(i, 1) >= costs(i, 0) ? 1 : 0;
      at.push_back(std::clamp(losses(i, 1 - dear) - losses(i, dear), -1.0, 1.0));
    }
    std::sort(at.begin(), at.end(), std::greater<>());
    at.erase(std::unique(at.begin(), at.end()), at.end());
    std::vector<std::pair<double, threshold_rule>> out;
    for (const double threshold : at) out.emplace_back(threshold, threshold_rule{threshold_rule_options{threshold}});
    return out;
  }

  /// By how much every predicted loss may be off without changing `choose(c)`.
  double margin(const candidates<2>& c) const noexcept {
    const std::size_t dear = c.costs[1] >= c.costs[0] ? 1 : 0;
    return std::fabs(c.losses[1 - dear] - c.losses[dear] - options_.threshold) / 2;
  }

  const threshold_rule_options& options() const noexcept { return options_; }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { threshold_rule(next.options_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("options", of.options_); }

 private:
  threshold_rule_options options_;
};

static_assert(two_model_rule<threshold_rule>);

}  // namespace uniroute
