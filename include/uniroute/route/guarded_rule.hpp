#pragma once

// A Lagrangian rule whose λ was tested on held-out outcomes, with a safe model to fall back on.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/route/lagrangian_rule.hpp>

namespace uniroute {

/// What a guard found: made by guard_quality and guard_cost (bound/guard.hpp).
struct guarded_rule_options {
  double lambda = 0;       ///< the tested price
  bool abstains = true;    ///< no price passed: every prompt goes to the safe model
  std::size_t safe = 0;    ///< index of the safe model among the candidates
  std::size_t models = 0;  ///< size of the pool the promise was tested with; 0: not calibrated
};

/// argmin γ̂ + λ c, or the safe model for every prompt. The promise is about the pool it was tested with: a pool of
/// another size is refused; after `reprice`, or a swap of LLMs, guard again. Const members are thread-safe and allocate
/// nothing.
class guarded_rule {
 public:
  /// Throws std::invalid_argument for a negative or infinite λ and a safe model outside the pool.
  explicit guarded_rule(guarded_rule_options options = {}) : options_(options) {
    detail::require(options.lambda >= 0 && std::isfinite(options.lambda), "guarded_rule: lambda is ", options.lambda,
                    ", but must be finite and at least 0");
    detail::require(options.models == 0 || options.safe < options.models, "guarded_rule: safe is ", options.safe,
                    ", but must be below the number of models, ", options.models);
  }

  /// Throws not_fitted before a guard has tested it, and for a pool of another size than that.
  std::size_t choose(const candidates<>& c) const {
    detail::require<not_fitted>(options_.models != 0,
                                "guarded_rule::choose: guard_quality or guard_cost must come first");
    detail::require<not_fitted>(options_.models == c.losses.size(), "guarded_rule::choose: the pool has ",
                                c.losses.size(), " models, but the promise was tested with ", options_.models,
                                ": guard again");
    return options_.abstains ? options_.safe : detail::least_objective(c.losses, c.costs, options_.lambda);
  }

  /// By how much every predicted loss may be off without changing `choose(c)`.
  double margin(const candidates<>& c) const noexcept {
    if (options_.abstains) return std::numeric_limits<double>::infinity();
    return detail::objective_margin(c.losses, c.costs, options_.lambda);
  }

  const guarded_rule_options& options() const noexcept { return options_; }

  state save() const {
    state out;
    out.set("lambda", options_.lambda);
    out.set("abstains", options_.abstains);
    out.set("safe", std::uint64_t{options_.safe});
    out.set("models", std::uint64_t{options_.models});
    return out;
  }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    const guarded_rule_options next{s.get<double>("lambda"), s.get<bool>("abstains"),
                                    static_cast<std::size_t>(s.get<std::uint64_t>("safe")),
                                    static_cast<std::size_t>(s.get<std::uint64_t>("models"))};
    detail::require_state(next.lambda >= 0 && (next.models == 0 || next.safe < next.models),
                          "guarded_rule: lambda must be at least 0 and safe below models");
    options_ = next;
  }

 private:
  guarded_rule_options options_;
};

static_assert(routing_rule<guarded_rule>);

}  // namespace uniroute
