#pragma once

// Anything that decides, on a table whose outcomes are known: a router's curve, or its point where its rule has nothing
// that could be swept.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/route/detail/choose.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/realised.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What is decided for each of n prompts at one setting of a rule.
struct decisions {
  double setting = 0;                  ///< λ, budget, threshold: whatever the rule is swept by
  std::vector<std::uint32_t> choices;  ///< n indices of models
  std::vector<double> costs = {};      ///< n: what was paid in all, where more was asked than what is kept; or none
};

/// The curve of decisions that are made already: a point a setting, in the order given, the setting in `lambda`.
/// `losses` (missing allowed, filled as in `trace_curve`) and `costs` are realised, n x M. O(settings · n).
/// Throws std::invalid_argument for no settings, shapes, and a choice that is no model.
inline deferral_curve trace_decisions(std::span<const decisions> decided, const loss_matrix& losses,
                                      const cost_matrix& costs, deferral_curve_options options = {}) {
  constexpr auto where = "trace_decisions";
  const std::size_t n = rows(losses), m = columns(losses);
  detail::require(n != 0 && m != 0, where, ": losses is ", n, " x ", m, ", but must be at least 1 x 1");
  detail::require(rows(costs) == n && columns(costs) == m, where, ": costs is ", rows(costs), " x ", columns(costs),
                  ", but must be ", n, " x ", m);
  detail::require(!decided.empty(), where, ": decided has 0 settings, but must have at least 1");
  deferral_curve out;
  if (options.shares) out.shares = make_matrix<float>(decided.size(), m);
  for (std::size_t s = 0; s < decided.size(); ++s) {
    const auto& choices = decided[s].choices;
    detail::require(choices.size() == n, where, ": choices has ", choices.size(),
                    " entries, but must have one for each prompt, ", n);
    const auto& paid = decided[s].costs;
    detail::require(paid.empty() || paid.size() == n, where, ": costs of a setting has ", paid.size(),
                    " entries, but must have none or one for each prompt, ", n);
    detail::choice_tally tally(losses);
    for (std::size_t i = 0; i < n; ++i) {
      detail::require(choices[i] < m, where, ": a choice is ", choices[i], ", but must be below the number of models, ",
                      m);
      const double cost = paid.empty() ? costs(i, choices[i]) : paid[i];
      detail::check_cost(where, "a cost", cost);
      tally.choose(choices[i], losses(i, choices[i]), cost);
    }
    out.points.push_back(tally.point(decided[s].setting));
    if (!options.shares) continue;
    for (std::size_t h = 0; h < m; ++h)
      out.shares(s, h) = static_cast<float>(tally.chosen()[h] / static_cast<double>(n));
  }
  return out;
}

/// A rule that knows what can be swept: `along(losses, costs)` gives pairs of a setting and the rule there, from what
/// it would see of a sample (n x M predicted losses and cost estimates). Satisfied by: budget_rule (budgets),
/// threshold_rule (every threshold at which a choice changes).
template <class R>
concept swept_rule = requires(const R& rule, const loss_matrix& losses, const cost_matrix& costs) {
  { rule.along(losses, costs).front().first } -> std::convertible_to<double>;
  { rule.along(losses, costs).front().second } -> std::convertible_to<R>;
};

namespace detail {

template <class Router>
using rule_of = std::remove_cvref_t<decltype(std::declval<const Router&>().rule())>;

template <class Router>
concept has_lagrangian_rule = requires(const Router& router) {
  requires std::same_as<rule_of<Router>, lagrangian_rule>;
};

template <class Router>
concept has_swept_rule = requires(const Router& router) {
  requires swept_rule<rule_of<Router>>;
};

/// How many models a router's rule is shown.
template <class Router>
inline constexpr std::size_t extent_of = std::dynamic_extent;
template <class Router>
requires requires { Router::extent; }
inline constexpr std::size_t extent_of<Router> = Router::extent;

template <class T>
matrix<T> take_columns(const matrix<T>& values, const std::vector<std::size_t>& columns_of) {
  std::vector<std::size_t> all(rows(values));
  std::iota(all.begin(), all.end(), std::size_t{0});
  return take(values, all, columns_of);
}

/// The costs as a Lagrangian rule weighs them.
inline cost_matrix weighed(cost_matrix costs, const lagrangian_rule& rule) {
  if (!rule.options().normalise_costs) return costs;
  for (std::size_t i = 0; i < rows(costs); ++i) {
    const auto of = row(costs, i);
    const double dearest = *std::max_element(of.begin(), of.end());
    for (double& cost : of) cost = dearest > 0 ? cost / dearest : 0;
  }
  return costs;
}

}  // namespace detail

/// What a router decides for the prompts x (n x D) at every setting of its rule; `calibration` (v x D), prompts without
/// outcomes, is what rules that have to be calibrated see, and where the settings come from. One setting, 0, for a
/// router whose rule is no `swept_rule`. Predictions are made once, in batches. Throws what predictor and rule throw.
template <class Router>
std::vector<decisions> decide_along(const Router& router, const embedding_matrix& x,
                                    [[maybe_unused]] const embedding_matrix& calibration) {
  std::vector<decisions> out;
  if constexpr (detail::has_swept_rule<Router>) {
    using rule_type = detail::rule_of<Router>;
    const auto order = detail::alphabetical_order(router.models());
    const auto seen = [&](const embedding_matrix& of) {
      return std::pair(detail::take_columns(router.predict(of), order),
                       detail::take_columns(router.estimate_costs(of), order));
    };
    const auto [shown, prices] = seen(calibration);
    const auto [losses, costs] = seen(x);
    for (auto [setting, rule] : router.rule().along(shown, prices)) {
      if constexpr (calibrated_rule<rule_type>) rule.calibrate(shown, prices);
      decisions at{setting, {}};
      for (std::size_t i = 0; i < rows(x); ++i) {
        constexpr std::size_t extent = detail::extent_of<Router>;
        const auto loss = row(losses, i);
        const auto cost = row(costs, i);
        const candidates<extent> c{std::span<const double, extent>(loss.data(), loss.size()),
                                   std::span<const double, extent>(cost.data(), cost.size()),
                                   detail::key_of<rule_type>(row(x, i))};
        at.choices.push_back(static_cast<std::uint32_t>(order[rule.choose(c)]));
      }
      out.push_back(std::move(at));
    }
  } else {
    out.push_back({0, router.route(x)});
  }
  return out;
}

/// The curve of a router on a table that has an outcome column for each model of its pool: all λ for `lagrangian_rule`
/// (every switching point), all settings of a `swept_rule`, else the one point that the router is. Columns of shares
/// are as in models(). Rules that have to be calibrated, and settings, see the prompts of `calibration`, or without it
/// those of the table, never an outcome.
/// Throws not_fitted, std::invalid_argument for a model of the pool that the table lacks and for a table without
/// prompts, and what the policies throw.
template <class Router, class Loss>
deferral_curve trace_router(const Router& router, const basic_routing_table<Loss>& table,
                            const embedding_matrix& calibration, deferral_curve_options options = {}) {
  detail::require<not_fitted>(!router.models().empty(),
                              "trace_router: the pool is empty, but must have at least one model (enroll)");
  detail::require(table.size() != 0, "trace_router: table '", table.name(),
                  "' has 0 prompts, but must have at least 1");
  const auto columns_of = detail::pool_columns(router, table);
  const auto losses = detail::take_columns(table.losses(), columns_of);
  const auto costs = detail::take_columns(table.costs(), columns_of);
  const embedding_matrix x = embed(router.reader(), table);
  if constexpr (detail::has_lagrangian_rule<Router>) {
    const auto order = detail::alphabetical_order(router.models());
    const auto by_name = [&](const matrix<double>& values) { return detail::take_columns(values, order); };
    auto out =
        trace_curve(by_name(router.predict(x)), by_name(detail::weighed(router.estimate_costs(x), router.rule())),
                    by_name(losses), by_name(costs), options);
    if (!options.shares) return out;
    std::vector<std::size_t> place(order.size());
    for (std::size_t at = 0; at < order.size(); ++at) place[order[at]] = at;
    out.shares = detail::take_columns(out.shares, place);
    return out;
  } else {
    return trace_decisions(decide_along(router, x, calibration.size() == 0 ? x : calibration), losses, costs, options);
  }
}

/// The same, calibrated on the table's own prompts where the rule has to be.
template <class Router, class Loss>
deferral_curve trace_router(const Router& router, const basic_routing_table<Loss>& table,
                            deferral_curve_options options = {}) {
  return trace_router(router, table, make_matrix<float>(0, 0), options);
}

}  // namespace uniroute
