#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// What a rule sees of one prompt: the predicted loss and the cost estimate of each model of the pool, and a key
/// that is a function of the prompt alone, for rules that draw. `Extent` is the pool's size where the type knows it.
template <std::size_t Extent = std::dynamic_extent>
struct candidates {
  std::span<const double, Extent> losses;
  std::span<const double, Extent> costs;
  std::uint64_t key = 0;
};

/// A rule that chooses from pools of `Extent` models (std::dynamic_extent: any number, known at run time).
///
/// Semantics: `choose(c)` is below c.losses.size(), which is at least 1; it is const, thread-safe, deterministic in c,
/// and allocates nothing. Ties go to the lower cost, then to the lower index. A rule that does not read c.key may say
/// so, `static constexpr bool reads_key = false`; routers then leave it at 0.
template <class R, std::size_t Extent>
concept routing_rule_for = stateful<R> && requires(const R& r, const candidates<Extent>& c) {
  { r.choose(c) } -> std::convertible_to<std::size_t>;
};

/// A rule for any pool.
/// Satisfied by: lagrangian_rule, budget_rule, best_quality_rule, guarded_rule.
template <class R>
concept routing_rule = routing_rule_for<R, std::dynamic_extent>;

/// A rule for pools of exactly two models, and for no others: the pool's type must say so (`pool_of<2>`).
/// Satisfied by: threshold_rule.
template <class R>
concept two_model_rule = routing_rule_for<R, 2> && !routing_rule<R>;

/// A rule that has to see predictions on a calibration sample before it can choose.
///
/// Semantics: `calibrate(losses, costs)` gets n x M predicted losses and n x M cost estimates, in the order of the
/// pool; `choose` before it throws not_fitted.
/// Satisfied by: budget_rule.
template <class R>
concept calibrated_rule = routing_rule<R> && requires(R& r, const loss_matrix& losses, const cost_matrix& costs) {
  r.calibrate(losses, costs);
};

}  // namespace uniroute
