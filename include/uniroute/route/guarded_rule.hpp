#pragma once

// A Lagrangian rule whose λ was tested on held-out outcomes, with a safe model to fall back on.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/pool_member.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What a guard found: made by guard_quality and guard_cost (bound/guard.hpp).
struct guarded_rule_options {
  double lambda = 0;                   ///< the tested price
  bool abstains = true;                ///< no price passed: every prompt goes to the safe model
  std::size_t safe = 0;                ///< index of the safe model among the candidates
  std::vector<pool_member> pool = {};  ///< what the promise was tested with, by name; none: not calibrated
};

/// argmin γ̂ + λ c, or the safe model for every prompt. The promise is about the pool it was tested with, its names,
/// costs and profiles: a router whose pool is another refuses to route, and says what changed; guard again. Const
/// members are thread-safe and allocate nothing.
class guarded_rule {
 public:
  /// Throws std::invalid_argument for a negative or infinite λ and a safe model outside the pool.
  explicit guarded_rule(guarded_rule_options options = {}) : options_(std::move(options)) {
    detail::require(options_.lambda >= 0 && std::isfinite(options_.lambda), "guarded_rule: lambda is ", options_.lambda,
                    ", but must be finite and at least 0");
    detail::require(options_.pool.empty() || options_.safe < options_.pool.size(), "guarded_rule: safe is ",
                    options_.safe, ", but must be below the number of models, ", options_.pool.size());
  }

  /// Throws not_fitted before a guard has tested it, and for a pool of another size than that.
  std::size_t choose(const candidates<>& c) const {
    detail::require<not_fitted>(!options_.pool.empty(),
                                "guarded_rule::choose: guard_quality or guard_cost must come first");
    detail::require<not_fitted>(options_.pool.size() == c.losses.size(), "guarded_rule::choose: the pool has ",
                                c.losses.size(), " models, but the promise was tested with ", options_.pool.size(),
                                ": guard again");
    return options_.abstains ? options_.safe : detail::least_objective(c.losses, c.costs, options_.lambda);
  }

  /// Routers ask before they route: throws not_fitted where the pool (by name) is not the one that was tested.
  void check_pool(std::span<const pool_member> pool) const {
    const auto& mine = options_.pool;
    if (mine.empty() || std::equal(mine.begin(), mine.end(), pool.begin(), pool.end())) return;
    constexpr auto where = "guarded_rule: the promise was tested with another pool";
    for (std::size_t h = 0; h < mine.size(); ++h) {
      const auto there = std::find_if(pool.begin(), pool.end(), [&](const auto& m) { return m.name == mine[h].name; });
      detail::require<not_fitted>(there != pool.end(), where, ": model '", mine[h].name, "'",
                                  options_.abstains && h == options_.safe ? ", the safe one," : "",
                                  " has left it: guard again");
      detail::require<not_fitted>(there->cost == mine[h].cost, where, ": model '", mine[h].name,
                                  "' has another cost: guard again");
      detail::require<not_fitted>(there->outcomes == mine[h].outcomes, where, ": model '", mine[h].name,
                                  "' was enrolled with other outcomes: guard again");
    }
    for (const auto& member : pool)
      detail::require<not_fitted>(
          std::any_of(mine.begin(), mine.end(), [&](const auto& m) { return m.name == member.name; }), where,
          ": model '", member.name, "' has joined it: guard again");
  }

  /// By how much every predicted loss may be off without changing `choose(c)`.
  double margin(const candidates<>& c) const noexcept {
    if (options_.abstains) return std::numeric_limits<double>::infinity();
    return detail::objective_margin(c.losses, c.costs, options_.lambda);
  }

  const guarded_rule_options& options() const noexcept { return options_; }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      const auto& o = next.options_;
      detail::require_state(o.lambda >= 0 && std::isfinite(o.lambda) && (o.pool.empty() || o.safe < o.pool.size()),
                            "guarded_rule: lambda must be finite and at least 0, and safe below the number of models");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("lambda", of.options_.lambda);
    visit("abstains", of.options_.abstains);
    visit("safe", of.options_.safe);
    auto& pool = of.options_.pool;
    visit("names", detail::field_of{pool, detail::any_size, &pool_member::name});
    visit("outcome_hashes", detail::field_of{pool, pool.size(), &pool_member::outcomes});
    visit("cost_hashes", detail::field_of{pool, pool.size(), &pool_member::cost});
  }

 private:
  guarded_rule_options options_;
};

static_assert(routing_rule<guarded_rule>);

}  // namespace uniroute
