#pragma once

// How much worse than the optimal rule a rule is, in a world where that is known.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/numeric/running_sum.hpp>
#include <uniroute/regret/oracle.hpp>
#include <uniroute/regret/population.hpp>
#include <vector>

namespace uniroute {

/// A rule beside r*. Exact on an enumerated population (standard_error is 0), else means over the sample.
struct regret_report {
  double lambda = 0;
  mean_risk rule;             ///< R(r), E c(r)
  mean_risk best;             ///< of r*
  double regret = 0;          ///< J(r) − J(r*) >= 0
  double raw_excess = 0;      ///< R(r) − R(r*) = regret + λ (E c(r*) − E c(r)); may be negative
  double standard_error = 0;  ///< of regret
};

/// Regret of given choices, one index a prompt, at λ. Throws std::invalid_argument for shapes and λ.
inline regret_report regret_of(const population& p, std::span<const std::uint32_t> choices, double lambda) {
  const auto best = oracle_choices(p, lambda);
  regret_report out{lambda, risk_of(p, choices), risk_of(p, best)};
  // Summed prompt by prompt: every term is at least 0, and no digits cancel.
  double squares = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const auto cost = p.costs_of(i);
    const double excess = std::max(0.0, p.expected_losses(i, choices[i]) - p.expected_losses(i, best[i]) +
                                            lambda * (cost[choices[i]] - cost[best[i]]));
    out.regret += p.weights[i] * excess;
    squares += p.weights[i] * excess * excess;
  }
  out.raw_excess = out.rule.loss - out.best.loss;
  const double n = static_cast<double>(p.size());
  if (!p.enumerated && p.size() > 1)
    out.standard_error = std::sqrt(std::max(0.0, squares - out.regret * out.regret) / (n - 1));
  return out;
}

/// Regret of a rule that draws; row i of `probabilities` has those of prompt i.
inline regret_report regret_of(const population& p, const matrix<double>& probabilities, double lambda) {
  const auto best = oracle_choices(p, lambda);
  regret_report out{lambda, risk_of(p, probabilities), risk_of(p, best)};
  double squares = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const auto cost = p.costs_of(i);
    const double least = p.expected_losses(i, best[i]) + lambda * cost[best[i]];
    double excess = 0;
    for (std::size_t h = 0; h < p.model_count(); ++h)
      excess += probabilities(i, h) * std::max(0.0, p.expected_losses(i, h) + lambda * cost[h] - least);
    out.regret += p.weights[i] * excess;
    squares += p.weights[i] * excess * excess;
  }
  out.raw_excess = out.rule.loss - out.best.loss;
  if (!p.enumerated && p.size() > 1)
    out.standard_error =
        std::sqrt(std::max(0.0, squares - out.regret * out.regret) / (static_cast<double>(p.size()) - 1));
  return out;
}

/// Regret of a router relative to the best rule on its own pool: every prompt of the population is routed. The pool's
/// names must be models of the population. λ is given, for the router may follow any rule.
template <class Router>
regret_report regret_of(const population& p, const Router& router, double lambda) requires requires {
  router.route(p.embeddings);
  router.models();
}
{
  const population pool = select_models(p, router.models());
  const std::vector<std::uint32_t> choices = router.route(p.embeddings);
  return regret_of(pool, std::span(choices), lambda);
}

/// The rule argmin γ̂ + λ ĉ beside r* for all λ from here up to the next step's. Both make the same choices all the way,
/// so that regret is linear in λ between two steps.
struct regret_step {
  double lambda = 0;
  mean_risk rule, best;

  /// Regret at a λ of this step.
  double regret(double at) const noexcept { return rule.objective(at) - best.objective(at); }
};

/// Regret along λ from 0 to ∞: a step at every λ where the rule or r* changes a choice. `predicted` is n x M;
/// `estimates` are the costs the rule sees, n x M or 1 x M. O(n M log M + sort). Throws std::invalid_argument for
/// shapes.
inline std::vector<regret_step> trace_regret(const population& p, const loss_matrix& predicted,
                                             const cost_matrix& estimates) {
  constexpr auto where = "trace_regret";
  detail::check_population(where, p);
  const std::size_t n = p.size(), m = p.model_count();
  detail::require(rows(predicted) == n && columns(predicted) == m, where, ": predicted is ", rows(predicted), " x ",
                  columns(predicted), ", but must be ", n, " x ", m);
  detail::require((rows(estimates) == n || rows(estimates) == 1) && columns(estimates) == m, where, ": estimates is ",
                  rows(estimates), " x ", columns(estimates), ", but must be ", n, " x ", m, " or 1 x ", m);
  detail::check_finite(where, "predicted", predicted);
  for (const double cost : estimates) detail::check_cost(where, "a cost estimate", cost);
  const auto rule = detail::path_of_rule(predicted, estimates);
  const auto best = detail::path_of_rule(p.expected_losses, p.costs);
  // Terms join and leave thousands of times: without drift, and never below 0.
  struct sums {
    detail::running_sum loss, cost;
    explicit sums(const mean_risk& start) : loss(start.loss), cost(start.cost) {}
  };
  const auto apply = [&](sums& to, const detail::switching_point& s) {
    const double w = p.weights[s.prompt];
    const auto cost = p.costs_of(s.prompt);
    to.loss.add(w * p.expected_losses(s.prompt, s.to));
    to.loss.add(-w * p.expected_losses(s.prompt, s.from));
    to.cost.add(w * cost[s.to]);
    to.cost.add(-w * cost[s.from]);
  };
  const auto read = [](const sums& of) {
    return mean_risk{std::max(0.0, of.loss.value()), std::max(0.0, of.cost.value())};
  };
  std::vector<regret_step> out{{0, risk_of(p, rule.at_zero), risk_of(p, best.at_zero)}};
  sums of_rule(out[0].rule), of_best(out[0].best);
  std::size_t a = 0, b = 0;
  while (a < rule.switches.size() || b < best.switches.size()) {
    regret_step next = out.back();
    const bool from_rule =
        b == best.switches.size() || (a < rule.switches.size() && rule.switches[a].lambda <= best.switches[b].lambda);
    next.lambda = from_rule ? rule.switches[a].lambda : best.switches[b].lambda;
    for (; a < rule.switches.size() && rule.switches[a].lambda == next.lambda; ++a) apply(of_rule, rule.switches[a]);
    for (; b < best.switches.size() && best.switches[b].lambda == next.lambda; ++b) apply(of_best, best.switches[b]);
    next.rule = read(of_rule);
    next.best = read(of_best);
    if (next.lambda == out.back().lambda) {
      out.back() = next;
    } else {
      out.push_back(next);
    }
  }
  return out;
}

/// How much more a rule of this risk fails than the best randomised rule that costs as much: regret at a budget.
inline double regret_at_its_cost(const population& p, const mean_risk& rule) {
  return rule.loss - oracle_at_budget(p, rule.cost).risk.loss;
}

}  // namespace uniroute
