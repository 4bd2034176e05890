#pragma once

// Promises that are tested before they are given: Learn-then-Test over prices, in a fixed order, with a safe way out.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certify_held_out.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/route/guarded_rule.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/price_grid.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/stats/betting.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One test of the sequence.
struct guard_step {
  double lambda = 0;
  bool passed = false;
};

/// What the tests found. With probability 1 − δ over the held-out sample, `promised` and a broken promise do not occur
/// together.
struct guard_report {
  double lambda = 0;              ///< the last price that passed
  bool abstains = true;           ///< none passed: the safe model takes every prompt
  bool promised = false;          ///< whether the promise is given
  std::vector<guard_step> steps;  ///< in the order they were tested; the sequence ends at the first that failed
};

/// What `guard_quality` is to promise: no more than `epsilon` of loss is given up for the sake of cost.
struct quality_promise {
  double epsilon = 0.02;             ///< loss that may be given up, in [0, 1)
  std::string safe_model;            ///< takes every prompt if no price passes: the best single LLM of another sample
  bool against_every_single = true;  ///< no worse than every single LLM; false: than the safe model
  std::vector<double> lambdas = {};  ///< tested in this order; empty: price_grid of the pool's costs
};

/// What `guard_cost` is to promise: the mean cost of a prompt is at most the budget.
struct cost_promise {
  double budget = 0;        ///< B, the mean cost of a prompt
  double largest_cost = 0;  ///< declared: no prompt costs more on any model
  std::optional<double> cheapest_cost =
      {};                            ///< declared, where it is known: what every prompt costs on the cheapest model
  std::vector<double> lambdas = {};  ///< tested in this order; empty: price_grid of the pool's costs, falling
};

namespace detail {

/// Choices of a Lagrangian rule from predictions (n x M), ties to the lower cost, then to the lower index.
inline std::vector<std::uint32_t> choices_at(const loss_matrix& predicted, const cost_matrix& costs, double lambda) {
  std::vector<std::uint32_t> out(rows(predicted));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint32_t>(least_objective(row(predicted, i), row(costs, i), lambda));
  return out;
}

/// Tests prices in order until one fails. `keeps(choices)` says whether the promise is established for those choices.
template <class Keeps>
guard_report test_in_order(const loss_matrix& predicted, const cost_matrix& costs, std::span<const double> lambdas,
                           Keeps&& keeps) {
  guard_report out;
  std::vector<std::uint32_t> before;
  for (const double lambda : lambdas) {
    require(lambda >= 0 && std::isfinite(lambda), "guard: a lambda is ", lambda, ", but must be finite and at least 0");
    auto choices = choices_at(predicted, costs, lambda);
    // The same choices give the same test, which has passed.
    const bool passed = (!out.steps.empty() && choices == before) || keeps(choices);
    out.steps.push_back({lambda, passed});
    if (!passed) break;
    out.lambda = lambda;
    out.abstains = false;
    out.promised = true;
    before = std::move(choices);
  }
  return out;
}

inline void check_guard(std::string_view function, const loss_matrix& predicted, const matrix<double>& costs,
                        const matrix<double>& realised, double delta) {
  check_delta(function, delta);
  require(rows(predicted) != 0 && columns(predicted) != 0 && predicted.shape() == costs.shape() &&
              predicted.shape() == realised.shape(),
          function, ": predicted is ", rows(predicted), " x ", columns(predicted), ", costs ", rows(costs), " x ",
          columns(costs), " and what was realised ", rows(realised), " x ", columns(realised),
          ", but must have one shape, at least 1 x 1");
}

}  // namespace detail

/// Tests "E ℓ of the rule at λ is at most E ℓ_h + ε" for all single LLMs h (or the safe one alone) at each λ, in order.
/// Each is a paired test on held-out prompts, by betting on ℓ_rule − ℓ_h in [−1, 1]; all must pass at level δ each, and
/// no share of δ is lost: the promise is broken only if one fixed LLM, the best, is better by more than ε, and then one
/// test of level δ was wrong (an intersection-union test); the first λ in the order whose promise is false was wrong
/// (fixed-sequence testing). Missing outcomes count against the rule. If no λ passes, the safe model takes every
/// prompt: against itself the promise is kept for certain; against every single LLM nothing was established, and
/// `promised` is false. predicted, costs: what the rule sees, n x M; losses: what came of it. O(λs · M n). Throws
/// std::invalid_argument for shapes, ε outside [0, 1), no λ, a safe index out of range, a delta outside (0, 1).
inline guard_report guard_quality_counts(const loss_matrix& predicted, const cost_matrix& costs,
                                         const loss_matrix& losses, std::size_t safe, bool against_every_single,
                                         double epsilon, std::span<const double> lambdas, double delta) {
  constexpr auto where = "guard_quality";
  detail::check_guard(where, predicted, costs, losses, delta);
  const std::size_t n = rows(losses), m = columns(losses);
  detail::require(epsilon >= 0 && epsilon < 1, where, ": epsilon is ", epsilon, ", but must be from 0 to below 1");
  detail::require(safe < m, where, ": safe is ", safe, ", but must be below ", m);
  detail::require(!lambdas.empty(), where, ": lambdas has 0 entries, but must have at least 1");
  std::vector<double> values(n);
  const auto keeps = [&](std::span<const std::uint32_t> choices) {
    for (std::size_t h = 0; h < m; ++h) {
      if (!against_every_single && h != safe) continue;
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t r = choices[i];
        const double difference = r == h ? 0 : detail::or_else(losses(i, r), 1) - detail::or_else(losses(i, h), 0);
        values[i] = (difference + 1) / 2;
      }
      if (!betting_rejects_at_least(values, (epsilon + 1) / 2, delta)) return false;
    }
    return true;
  };
  guard_report out = detail::test_in_order(predicted, costs, lambdas, keeps);
  if (out.abstains) out.promised = !against_every_single;
  return out;
}

/// Tests "E c of the rule at λ is at most B" at each λ, in order, from realised costs in [0, largest]. If none passes,
/// the cheapest model takes every prompt; the promise is then given only if its cost is declared to be a number, and
/// that is at most B: costs that were equal in a sample are not known to be equal. Throws as `guard_quality_counts`,
/// for a budget below the cheapest model's mean cost, and std::domain_error for a realised cost that is not as
/// declared.
inline guard_report guard_cost_counts(const loss_matrix& predicted, const cost_matrix& costs,
                                      const cost_matrix& realised, std::size_t cheapest, double budget,
                                      double largest_cost, std::span<const double> lambdas, double delta,
                                      std::optional<double> cheapest_cost = {}) {
  constexpr auto where = "guard_cost";
  detail::check_guard(where, predicted, costs, realised, delta);
  detail::require(cheapest < columns(costs), where, ": cheapest is ", cheapest, ", but must be below ", columns(costs));
  detail::require(!lambdas.empty(), where, ": lambdas has 0 entries, but must have at least 1");
  detail::require(largest_cost > 0 && std::isfinite(largest_cost), where, ": largest_cost is ", largest_cost,
                  ", but must be declared, finite and above 0");
  for (const double cost : realised)
    detail::require<std::domain_error>(cost >= 0 && cost <= largest_cost, where, ": a cost is ", cost,
                                       ", but must be from 0 to the declared largest, ", largest_cost);
  double least = 0;
  for (std::size_t i = 0; i < rows(costs); ++i) {
    least += costs(i, cheapest) / static_cast<double>(rows(costs));
    detail::require<std::domain_error>(!cheapest_cost || realised(i, cheapest) == *cheapest_cost, where,
                                       ": a cost of the cheapest model is ", realised(i, cheapest),
                                       ", but must be the declared ", cheapest_cost.value_or(0));
  }
  detail::require(budget >= least * (1 - 1e-12), where, ": budget is ", budget, ", but must be at least ", least,
                  ", the mean cost of the cheapest model");
  std::vector<double> values(rows(costs));
  const auto keeps = [&](std::span<const std::uint32_t> choices) {
    if (budget >= largest_cost) return true;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = realised(i, choices[i]) / largest_cost;
    return betting_rejects_at_least(values, budget / largest_cost, delta);
  };
  guard_report out = detail::test_in_order(predicted, costs, lambdas, keeps);
  if (out.abstains) out.promised = budget >= largest_cost || (cheapest_cost && *cheapest_cost <= budget);
  return out;
}

/// A router whose rule was tested, and what the tests found.
template <class Router>
struct guarded_router {
  Router router;
  guard_report report;
};

namespace detail {

template <class Router>
using with_guard = guarded_router<decltype(std::declval<const Router&>().with_rule(guarded_rule{}))>;

/// What the rule sees and what came of it, columns in the order in which the rule sees the pool (by name).
struct guard_sample {
  std::vector<std::size_t> order;
  loss_matrix predicted, losses;
  cost_matrix costs, realised_costs;
  std::vector<double> mean_costs;
};

template <class Router, class Loss>
guard_sample read_guard_sample(std::string_view function, const Router& router,
                               const basic_routing_table<Loss>& table) {
  require<not_fitted>(router.size() != 0, function, ": the pool is empty, but must have at least one model (enroll)");
  require(table.size() != 0, function, ": the table has 0 prompts, but must have at least 1");
  constexpr auto why = "a promise must be tested on outcomes that the profiles do not know";
  require_fresh(function, router.fitted_on(), table, "fit", why);
  require_fresh(function, router.enrolled_on(), table, "enroll", why);
  const auto columns = pool_columns(router, table);
  const std::size_t n = table.size(), m = columns.size();
  const embedding_matrix x = embed(router.reader(), table);
  const loss_matrix predicted = router.predict(x);
  const cost_matrix costs = router.estimate_costs(x);
  guard_sample out{alphabetical_order(router.models()), make_matrix<double>(n, m), make_matrix<double>(n, m),
                   make_matrix<double>(n, m),           make_matrix<double>(n, m), {}};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      const std::size_t j = out.order[h];
      out.predicted(i, h) = predicted(i, j);
      out.costs(i, h) = costs(i, j);
      out.losses(i, h) = table.losses()(i, columns[j]);
      out.realised_costs(i, h) = table.costs()(i, columns[j]);
    }
  }
  // Of the cost policy, not of these prompts: prices and the cheapest model are fixed before the sample is looked at.
  if constexpr (requires { router.costs().costs(); }) {
    const auto typical = router.costs().costs();
    for (std::size_t h = 0; h < m; ++h) out.mean_costs.push_back(typical[out.order[h]]);
  }
  return out;
}

/// The prices to test: those asked for, else a grid of the pool's typical costs.
inline std::vector<double> prices_to_test(std::string_view function, std::span<const double> asked,
                                          std::span<const double> typical_costs) {
  if (!asked.empty()) return {asked.begin(), asked.end()};
  require(!typical_costs.empty(), function,
          ": lambdas has 0 entries, but must have at least 1: the cost policy has no costs() to make a grid of");
  return price_grid(typical_costs);
}

template <class Sample>
constexpr void require_guard_sample() {
  require_handed_over<Sample>();
  static_assert(is_held_out<std::remove_cvref_t<Sample>>,
                "guard: the sample must be held_out{table}: a promise is tested on prompts that nothing was fitted, "
                "enrolled or chosen on, and the type says so");
}

}  // namespace detail

/// Promises "the mean loss is at most that of the best single LLM (or of the safe model) plus ε, with probability 1 −
/// δ", and finds the largest price λ at which it is kept. The router's own rule is replaced. Predictions of a batch
/// stand for those of single prompts (they agree to 1e-6; a choice that nearly ties may differ). Throws not_fitted,
/// std::invalid_argument for prompts that the router was fitted or enrolled on, a safe model that is not in the pool,
/// and as `guard_quality_counts`.
template <class Router, class Sample>
auto guard_quality(const Router& router, Sample&& sample, const quality_promise& promise, confidence_level level) {
  detail::require_guard_sample<Sample>();
  if constexpr (detail::is_handed_over<Sample>) {
    const auto spent = std::move(sample);
    const auto s = detail::read_guard_sample("guard_quality", router, spent.table());
    std::size_t safe = s.order.size();
    for (std::size_t h = 0; h < s.order.size(); ++h) {
      if (router.models()[s.order[h]] == promise.safe_model) safe = h;
    }
    detail::require(safe < s.order.size(), "guard_quality: the safe model '", promise.safe_model,
                    "' is unknown, but must be in the pool");
    const auto lambdas = detail::prices_to_test("guard_quality", promise.lambdas, s.mean_costs);
    guard_report report = guard_quality_counts(s.predicted, s.costs, s.losses, safe, promise.against_every_single,
                                               promise.epsilon, lambdas, level.delta() * spent.share());
    return detail::with_guard<Router>{
        router.with_rule(guarded_rule{{report.lambda, report.abstains, safe, router.roll()}}), std::move(report)};
  }
}

/// Promises "the mean cost is at most B, with probability 1 − δ", and finds the smallest price λ at which it is kept;
/// costs are those of the table. Throws as `guard_quality` and `guard_cost_counts`.
template <class Router, class Sample>
auto guard_cost(const Router& router, Sample&& sample, const cost_promise& promise, confidence_level level) {
  detail::require_guard_sample<Sample>();
  if constexpr (detail::is_handed_over<Sample>) {
    const auto spent = std::move(sample);
    const auto s = detail::read_guard_sample("guard_cost", router, spent.table());
    detail::require(!s.mean_costs.empty(),
                    "guard_cost: the cost policy has no costs(), but must have one number for "
                    "each LLM: the safe way out is the cheapest LLM, fixed before the sample is looked at");
    const auto cheapest =
        static_cast<std::size_t>(std::min_element(s.mean_costs.begin(), s.mean_costs.end()) - s.mean_costs.begin());
    auto lambdas = detail::prices_to_test("guard_cost", promise.lambdas, s.mean_costs);
    if (promise.lambdas.empty()) std::reverse(lambdas.begin(), lambdas.end());
    guard_report report =
        guard_cost_counts(s.predicted, s.costs, s.realised_costs, cheapest, promise.budget, promise.largest_cost,
                          lambdas, level.delta() * spent.share(), promise.cheapest_cost);
    return detail::with_guard<Router>{
        router.with_rule(guarded_rule{{report.lambda, report.abstains, cheapest, router.roll()}}), std::move(report)};
  }
}

}  // namespace uniroute
