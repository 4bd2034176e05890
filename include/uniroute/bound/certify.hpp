#pragma once

// How far a fitted router may be from the best rule that its cells allow: an excess-risk certificate.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/simultaneous.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/mean_cost.hpp>
#include <uniroute/route/realised.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What `certify` knows of the cells' shares and of costs.
struct certify_options {
  std::vector<double> cell_shares = {};  ///< p_k where they are known, one per cell; empty: estimated from the sample
  double share_part = 0.1;               ///< of δ, spent on estimated cell shares
  /// Declared: no prompt costs more. Costs are then those of the sample, and the means certified are of ℓ + λ c.
  std::optional<double> largest_cost = {};
};

namespace detail {

template <class Router>
inline constexpr bool certifiable_router = hard_cell_based<typename Router::predictor_type>&&
    std::same_as<typename Router::rule_type, lagrangian_rule>&& std::same_as<typename Router::costs_type, mean_cost>;

/// What a router with hard cells does in each cell: the Lagrangian rule on its profiles, ties as the router breaks
/// them.
template <class Router>
std::vector<std::uint32_t> router_choices(const Router& router) {
  const auto order = alphabetical_order(router.models());
  const loss_matrix profiles = router.predictor_policy().profile_losses();
  std::vector<double> losses(order.size()), costs(order.size());
  std::vector<std::uint32_t> out;
  for (std::size_t k = 0; k < columns(profiles); ++k) {
    for (std::size_t h = 0; h < order.size(); ++h) {
      losses[h] = profiles(order[h], k);
      costs[h] = router.costs().costs()[order[h]];
    }
    out.push_back(static_cast<std::uint32_t>(order[least_objective(losses, costs, router.rule().options().lambda)]));
  }
  return out;
}

}  // namespace detail

/// Certifies with any way to simultaneous intervals: bonferroni<Interval>, multiplier_bootstrap. See `certify`.
template <class Simultaneous, class Router, class Loss, class Guarantee = finite_sample>
certificate certify_with(const Simultaneous& policy, const Router& router, const basic_routing_table<Loss>& sample,
                         confidence_level level, Guarantee = {}, const certify_options& options = {}) {
  using predictor_type = typename Router::predictor_type;
  static_assert(simultaneous_intervals<Simultaneous>,
                "certify_with: Simultaneous must model simultaneous_intervals: loss_type, guarantee, make(outcomes, "
                "delta) -> interval_box");
  static_assert(
      cell_based<predictor_type>,
      "certify: the router's Predictor must model cell_based (map(), profile_losses(), profile_counts()): only "
      "predictors that are memberships times profiles have cells to certify");
  static_assert(
      !cell_based<predictor_type> || hard_cell_based<predictor_type>,
      "certify: the cellwise bound assumes hard cells, but Map is soft: a profile is then a ratio of means, and "
      "binomial or Hoeffding intervals with n_k do not hold; use nearest_map, or certify_soft");
  static_assert(std::same_as<typename Router::rule_type, lagrangian_rule>,
                "certify: Rule must be lagrangian_rule, whose lambda the certificate is about");
  static_assert(std::same_as<typename Router::costs_type, mean_cost>,
                "certify: Costs must be mean_cost: cell certificates need one cost per model, known and not estimated "
                "per prompt");
  static_assert(finite_sample_guarantee<Simultaneous> || std::same_as<Guarantee, asymptotic>,
                "certify: the intervals hold only asymptotically: take finite-sample ones (exact_binomial, hoeffding, "
                "betting), or say so by passing uniroute::asymptotic{} after the level");
  certificate out;
  if constexpr (detail::certifiable_router<Router>) {
    detail::require<not_fitted>(router.size() != 0,
                                "certify: the pool is empty, but must have at least one model (enroll)");
    detail::require(sample.size() != 0, "certify: the table has 0 prompts, but must have at least 1");
    detail::require(!router.rule().options().normalise_costs,
                    "certify: the rule's costs are normalised, but lambda must be per unit cost");
    detail::require(options.share_part > 0 && options.share_part < 1, "certify: share_part is ", options.share_part,
                    ", but must be between 0 and 1");
    detail::require_fresh("certify", router.fitted_on(), sample, "fit",
                          "the cells were made from it, and intervals hold for cells that do not know the sample");
    if constexpr (!requires { requires Simultaneous::weighs_labels; })
      detail::require_random_labels("certify", router, sample);
    const auto& map = router.predictor_policy().map();
    const auto columns = detail::pool_columns(router, sample);
    const auto labels = map.labels(embed(router.reader(), sample));
    const double lambda = router.rule().options().lambda;
    detail::require_known_costs("certify", router, lambda, options.largest_cost);
    const bool priced = options.largest_cost && lambda > 0;
    if (priced && !std::same_as<typename Simultaneous::loss_type, bounded_loss>)
      throw std::invalid_argument(
          "certify: the intervals hold for 0-1 losses, but must hold for graded ones where costs vary by prompt, "
          "because "
          "the means are of loss + lambda * cost: take betting, empirical_bernstein or hoeffding");
    const double scale = priced ? 1 + lambda * *options.largest_cost : 1;
    const loss_matrix objectives =
        priced ? detail::objectives("certify", sample, columns, lambda, *options.largest_cost) : loss_matrix{};
    const cell_outcomes outcomes{labels, priced ? objectives : sample.losses(), map.size(), columns};
    const cell_sample counted = summarise(outcomes);
    const bool known = !options.cell_shares.empty();
    const double delta = level.delta(), share_delta = known ? 0 : delta * options.share_part;
    double shares_at = share_delta;
    if constexpr (requires { requires Simultaneous::any_count; }) {  // shares are looked at as often as means
      const double n = static_cast<double>(sample.size());
      shares_at = share_delta / (n * (n + 1));
    }
    auto shares = known ? known_shares(options.cell_shares) : estimated_shares(counted.prompts, shares_at);
    interval_box box;
    if constexpr (requires { policy.make(counted, delta); }) {
      box = policy.make(counted, delta - share_delta);
    } else {
      box = policy.make(outcomes, delta - share_delta);
    }
    const auto costs = router.costs().costs();
    if (priced) {
      box.lower *= scale;
      box.upper *= scale;
      const std::vector<double> inside(costs.size(), 0.0);  // λ c is in the intervals
      out = certify_cells(detail::router_choices(router), inside, 0, std::move(box), std::move(shares));
      out.lambda = lambda;
      out.costs.assign(costs.begin(), costs.end());
      out.largest_objective = scale;
    } else {
      out = certify_cells(detail::router_choices(router), costs, lambda, std::move(box), std::move(shares));
    }
    out.level = level.value();
    out.only_asymptotic = !finite_sample_guarantee<Simultaneous>;
    out.counts = counted.counts;
    out.means = cell_means(counted);
    out.means *= scale;
    for (const double n : counted.prompts) out.cell_counts.push_back(static_cast<std::size_t>(n));
  }
  return out;
}

/// Certifies a router with hard cells, one cost per model and a Lagrangian rule, from outcomes of its pool on prompts
/// that its cells were not fitted on; the enrolment sample will do. The target is the regret to the best rule that is
/// constant on the cells. Outcomes may be missing if whether they are does not depend on the loss within a cell. Of δ,
/// options.share_part goes to the K cell shares (exact binomial; nothing if they are given), the rest to the K·M cell
/// means (intervals of kind Interval, Bonferroni). A cell where nothing was observed of a model has the interval [0,
/// 1]. At a price λ above 0 costs must be known: one declared number for each LLM (mean_cost::is_declared), or a
/// declared largest cost (`certify_options`), with which the means are of ℓ + λ c and the interval must hold for graded
/// losses. Throws std::invalid_argument for costs that are neither, std::domain_error for a cost above the declared
/// largest; not_fitted, std::invalid_argument for a model that the table lacks, a table without prompts or outcomes,
/// prompts that `fit` saw, and shares that do not sum to one.
template <class Interval, class Router, class Loss, class Guarantee = finite_sample>
requires(!ladder<Router>)  // bound/certify_ladder.hpp says why
    certificate certify(const Router& router, const basic_routing_table<Loss>& sample, confidence_level level,
                        Guarantee guarantee = {}, const certify_options& options = {}) {
  static_assert(any_interval<Interval>,
                "certify: Interval must model mean_interval, moment_interval or sequence_interval: loss_type, "
                "guarantee, and make(sum, n, delta), make(sum, squares, n, delta) or make(values, delta) -> interval");
  static_assert(!any_interval<Interval> || interval_for<Interval, Loss>,
                "certify: Interval assumes 0-1 losses, but the table's may be graded: use as_binary(table), which "
                "checks them, or an interval for bounded losses such as hoeffding");
  if constexpr (interval_for<Interval, Loss>) {
    return certify_with(bonferroni<Interval>{}, router, sample, level, guarantee, options);
  } else {
    return {};
  }
}

/// Refused with a sentence: it does not guess an interval.
template <class Router, class Loss, class... Rest>
certificate certify(const Router&, const basic_routing_table<Loss>&, confidence_level, const Rest&...) {
  static_assert(detail::accepted<Router>,
                "certify: name an interval, certify<betting>(router, sample, level): exact_binomial for 0-1 losses, "
                "betting, empirical_bernstein or hoeffding for losses in [0, 1]");
  return {};
}

/// The same with options.
template <class Interval, class Router, class Loss>
requires(!ladder<Router>) certificate certify(const Router& router, const basic_routing_table<Loss>& sample,
                                              confidence_level level, const certify_options& options) {
  return certify<Interval>(router, sample, level, finite_sample{}, options);
}

}  // namespace uniroute
