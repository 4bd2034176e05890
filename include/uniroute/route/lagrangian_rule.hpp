#pragma once

// Quality and cost in one number: argmin predicted loss + λ · cost. The rule of UniRoute.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>

namespace uniroute {

namespace detail {

/// The index of the least losses[h] + lambda · costs[h]; ties to the lower cost, then to the lower index.
inline std::size_t least_objective(std::span<const double> losses, std::span<const double> costs,
                                   double lambda) noexcept {
  std::size_t best = 0;
  double least = losses[0] + lambda * costs[0];
  for (std::size_t h = 1; h < losses.size(); ++h) {
    const double objective = losses[h] + lambda * costs[h];
    if (objective < least || (objective == least && costs[h] < costs[best])) {
      best = h;
      least = objective;
    }
  }
  return best;
}

/// Half the distance from the least objective to the next: predicted losses may each move by less than this, and the
/// choice stands. Infinite for one model.
inline double objective_margin(std::span<const double> losses, std::span<const double> costs, double lambda) noexcept {
  double least = std::numeric_limits<double>::infinity();
  double next = least;
  for (std::size_t h = 0; h < losses.size(); ++h) {
    const double objective = losses[h] + lambda * costs[h];
    next = std::min(next, std::max(least, objective));
    least = std::min(least, objective);
  }
  return (next - least) / 2;
}

}  // namespace detail

/// What a unit of cost is worth to `lagrangian_rule`.
struct lagrangian_rule_options {
  double lambda = 0;             ///< λ, quality per unit cost; at least 0
  bool normalise_costs = false;  ///< divide each prompt's costs by the dearest of its pool, so that λ has no currency

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("lambda", of.lambda);
    visit("normalise_costs", of.normalise_costs);
  }
};

/// r(x) = argmin_h γ̂(x, h) + λ c(h) (UniRoute, section 3). Const members are thread-safe and allocate nothing.
class lagrangian_rule {
 public:
  static constexpr bool reads_key = false;  ///< candidates need no key: routers save its hash

  /// Throws std::invalid_argument for a negative or infinite lambda.
  explicit lagrangian_rule(lagrangian_rule_options options = {}) : options_(options) {
    detail::require(options.lambda >= 0 && options.lambda <= std::numeric_limits<double>::max(),
                    "lagrangian_rule: lambda is ", options.lambda, ", but must be finite and at least 0");
  }

  /// Refused with a sentence: options are named, `lagrangian_rule{{.lambda = 2}}`.
  template <detail::number N>
  explicit lagrangian_rule(N) : lagrangian_rule() {
    static_assert(detail::accepted<N>, "lagrangian_rule: options are named: lagrangian_rule{{.lambda = 2}}");
  }

  /// The index of the least objective; ties to the lower cost, then to the lower index.
  std::size_t choose(const candidates<>& c) const noexcept {
    return detail::least_objective(c.losses, c.costs, price(c.costs));
  }

  /// By how much every predicted loss may be off without changing `choose(c)`.
  double margin(const candidates<>& c) const noexcept {
    return detail::objective_margin(c.losses, c.costs, price(c.costs));
  }

  const lagrangian_rule_options& options() const noexcept { return options_; }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { lagrangian_rule(next.options_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("options", of.options_); }

 private:
  double price(std::span<const double> costs) const noexcept {
    if (!options_.normalise_costs) return options_.lambda;
    const double dearest = *std::max_element(costs.begin(), costs.end());
    return dearest > 0 ? options_.lambda / dearest : 0;
  }

  lagrangian_rule_options options_;
};

static_assert(routing_rule<lagrangian_rule>);

}  // namespace uniroute
