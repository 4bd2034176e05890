#pragma once

// Whatever it costs: the model of the least predicted loss.

#include <cstddef>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/route/lagrangian_rule.hpp>

namespace uniroute {

/// r(x) = argmin_h γ̂(x, h): the Lagrangian rule at λ = 0. Ties to the lower cost, then to the lower index.
/// Const members are thread-safe and allocate nothing.
class best_quality_rule {
 public:
  static constexpr bool reads_key = false;  ///< candidates need no key: routers save its hash

  std::size_t choose(const candidates<>& c) const noexcept { return detail::least_objective(c.losses, c.costs, 0); }
  /// By how much every predicted loss may be off without changing `choose(c)`.
  double margin(const candidates<>& c) const noexcept { return detail::objective_margin(c.losses, c.costs, 0); }

  state save() const { return {}; }
  void load(const state&) {}
};

static_assert(routing_rule<best_quality_rule>);

}  // namespace uniroute
