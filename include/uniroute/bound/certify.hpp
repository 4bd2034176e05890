#pragma once

// How far a fitted router may be from the best rule that its cells allow: an excess-risk certificate.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/exact_binomial.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/mean_cost.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// With probability 1 − δ over the validation sample, for all pools and all λ at once where it says so:
///   Σ_k p_k (Ψ*_k(r(k)) + λ c(r(k)) − min_h (Ψ*_k(h) + λ c(h)))  <=  gap_adaptive  <=  uniform,
/// the regret of the router to the best rule that is constant on its cells (target i of DESIGN 7). What a rule could
/// gain by telling prompts of one cell apart is not in it: no sample of single answers shows that.
struct certificate {
  double gap_adaptive = 0;  ///< Σ p_k max_{h ≠ r(k)} [U_k(r(k)) − L_k(h) + λ (c(r(k)) − c(h))]₊; nil where beyond doubt
  double uniform = 0;  ///< Σ p_k max_h (U_k(h) − L_k(h)) + the rule's own distance to the estimates' minimum
  double level = 0;    ///< 1 − δ
  double lambda = 0;   ///< of the rule
  std::vector<std::uint32_t> choices;    ///< r(k), an index into the router's models() per cell
  std::vector<std::size_t> cell_counts;  ///< validation prompts per cell
  matrix<double> lower, upper;           ///< simultaneous intervals for Ψ*_k(h): K x M
  std::vector<interval> cell_shares;     ///< simultaneous intervals for p_k
};

namespace detail {

/// The largest Σ p_k v_k over the box of intervals and the simplex: give mass to the largest values first.
inline double largest_mean(std::span<const interval> shares, std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] > values[b]; });
  double left = 1, sum = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    left -= shares[k].lower;
    sum += shares[k].lower * values[k];
  }
  for (const std::size_t k : order) {
    const double extra = std::clamp(left, 0.0, shares[k].upper - shares[k].lower);
    sum += extra * values[k];
    left -= extra;
  }
  return sum;
}

template <class Router>
inline constexpr bool certifiable_router = hard_cell_based<typename Router::predictor_type>&&
    std::same_as<typename Router::rule_type, lagrangian_rule>&& std::same_as<typename Router::costs_type, mean_cost>;

}  // namespace detail

/// Certifies a router with hard cells, one cost per model and a Lagrangian rule, from outcomes of its pool on prompts
/// that its cells were not fitted on; the enrolment sample will do. Outcomes may be missing if whether they are does
/// not depend on the loss within a cell. Of δ, half goes to the K·M cell means (intervals of kind Interval,
/// Bonferroni), half to the K cell shares (exact binomial). A cell where nothing was observed of a model has the
/// interval [0, 1]. Throws not_fitted, std::invalid_argument for a model that the table lacks or a table without
/// prompts.
template <class Interval, class Router, class Loss>
certificate certify(const Router& router, const basic_routing_table<Loss>& sample, confidence_level level) {
  using predictor_type = typename Router::predictor_type;
  static_assert(mean_interval<Interval>,
                "certify: Interval must model mean_interval: loss_type, make(sum, n, delta) -> interval");
  static_assert(!mean_interval<Interval> || interval_for<Interval, Loss>,
                "certify: Interval assumes 0-1 losses, but the table's may be graded: use as_binary(table), which "
                "checks them, or an interval for bounded losses such as hoeffding");
  static_assert(
      cell_based<predictor_type>,
      "certify: the router's Predictor must model cell_based (map(), profile_losses(), profile_counts()): only "
      "predictors that are memberships times profiles have cells to certify");
  static_assert(
      !cell_based<predictor_type> || hard_cell_based<predictor_type>,
      "certify: the cellwise bound assumes hard cells, but Map is soft: a profile is then a ratio of means, and "
      "binomial or Hoeffding intervals with n_k do not hold; use nearest_map");
  static_assert(std::same_as<typename Router::rule_type, lagrangian_rule>,
                "certify: Rule must be lagrangian_rule, whose lambda the certificate is about");
  static_assert(std::same_as<typename Router::costs_type, mean_cost>,
                "certify: Costs must be mean_cost: cell certificates need one cost per model, known and not estimated "
                "per prompt");
  certificate out;
  if constexpr (interval_for<Interval, Loss> && detail::certifiable_router<Router>) {
    const std::size_t m = router.size();
    detail::require<not_fitted>(m != 0, "certify: the pool is empty, but must have at least one model (enroll)");
    detail::require(sample.size() != 0, "certify: the table has 0 prompts, but must have at least 1");
    detail::require(!router.rule().options().normalise_costs,
                    "certify: the rule's costs are normalised, but lambda must be per unit cost");
    const auto labels = router.predictor_policy().map().labels(embed(router.reader(), sample));
    const std::size_t cells = router.predictor_policy().map().size();
    const double lambda = router.rule().options().lambda;
    const auto costs = router.costs().costs();
    std::vector<std::size_t> column_of;
    for (const auto& model : router.models()) column_of.push_back(sample.model_index(model));

    out.level = level.value();
    out.lambda = lambda;
    out.cell_counts.assign(cells, 0);
    for (const std::uint32_t k : labels) ++out.cell_counts[k];
    const double share_delta = level.delta() / 2 / static_cast<double>(cells);
    for (const std::size_t count : out.cell_counts)
      out.cell_shares.push_back(exact_binomial::make(static_cast<double>(count), labels.size(), share_delta));

    out.lower = make_matrix<double>(cells, m);
    out.upper = make_matrix<double>(cells, m);
    const double mean_delta = level.delta() / 2 / static_cast<double>(cells * m);
    for (std::size_t h = 0; h < m; ++h) {
      std::vector<double> sum(cells, 0.0);
      std::vector<std::size_t> count(cells, 0);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const double loss = sample.losses()(i, column_of[h]);
        if (is_missing(loss)) continue;
        sum[labels[i]] += loss;
        ++count[labels[i]];
      }
      for (std::size_t k = 0; k < cells; ++k) {
        const interval around = Interval::make(sum[k], count[k], mean_delta);
        out.lower(k, h) = around.lower;
        out.upper(k, h) = around.upper;
      }
    }

    const auto profiles = router.predictor_policy().profile_losses();
    std::vector<double> gap(cells, 0.0), uniform(cells, 0.0);
    for (std::size_t k = 0; k < cells; ++k) {
      const auto psi = column(profiles, k);
      const std::size_t r = detail::least_objective(psi, costs, lambda);
      out.choices.push_back(static_cast<std::uint32_t>(r));
      double width = 0;
      for (std::size_t h = 0; h < m; ++h) {
        width = std::max(width, out.upper(k, h) - out.lower(k, h));
        if (h == r) continue;
        gap[k] = std::max(gap[k], out.upper(k, r) - out.lower(k, h) + lambda * (costs[r] - costs[h]));
      }
      // By how much the rule's choice exceeds the least objective at the middles of the intervals (nil if it was made
      // there): what half widths on both sides cannot explain.
      double off = 0;
      for (std::size_t h = 0; h < m; ++h) {
        const double mine = (out.lower(k, r) + out.upper(k, r)) / 2 + lambda * costs[r];
        const double theirs = (out.lower(k, h) + out.upper(k, h)) / 2 + lambda * costs[h];
        off = std::max(off, mine - theirs);
      }
      uniform[k] = width + off;
    }
    out.gap_adaptive = detail::largest_mean(out.cell_shares, gap);
    out.uniform = detail::largest_mean(out.cell_shares, uniform);
  }
  return out;
}

}  // namespace uniroute
