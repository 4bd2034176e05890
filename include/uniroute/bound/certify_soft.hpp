#pragma once

// The certificate for soft maps: profiles are ratios of means, and the gap is a mean over prompts.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What is known of why outcomes are missing where cells are soft. Nothing by default, and then none may be.
struct soft_missing {
  /// Whether an outcome is missing is independent of memberships and loss together. That it is independent of the loss
  /// given the memberships is not enough: a profile is a mean over prompts, and prompts that are left out change it.
  bool independent = false;
  /// Known probabilities with which outcomes were observed, n x M (0 x 0: not known), given the prompt independent of
  /// the loss: observed ones count 1/π times (Horvitz and Thompson 1952). Intervals are wider by about 1 / least.
  matrix<double> probabilities = make_matrix<double>(0, 0);
  double least = 0;  ///< declared: no probability is below it
};

/// Simultaneous intervals for Ψ*_k(h), the ψ with E[Φ_k(x) (ℓ_h − ψ)] = 0, from memberships (n x K) and losses (n x M):
/// each inverts a test of that equation at δ / KM; with known probabilities a test of E[1[observed] Φ_k least / π
/// (ℓ_h − ψ)] = 0, which has the same ψ. O(80 n K M) for betting.
/// Throws std::invalid_argument for shapes, a delta outside (0, 1) and outcomes that are missing for no known reason;
/// std::domain_error for values.
template <ratio_interval Interval = betting>
interval_box soft_intervals(const membership_matrix& phi, const loss_matrix& losses, double delta,
                            const soft_missing& missing_ones = {}) {
  detail::check_delta("soft_intervals", delta);
  detail::require(rows(phi) == rows(losses) && rows(phi) != 0, "soft_intervals: memberships has ", rows(phi),
                  " rows, but losses has ", rows(losses), " (at least 1)");
  const std::size_t cells = columns(phi), m = columns(losses);
  const auto& probabilities = missing_ones.probabilities;
  const bool weighted = probabilities.size() != 0;
  if (weighted) {
    detail::require(probabilities.shape() == losses.shape(), "soft_intervals: probabilities is ", rows(probabilities),
                    " x ", columns(probabilities), ", but losses is ", rows(losses), " x ", m);
    detail::require(missing_ones.least > 0 && missing_ones.least <= 1, "soft_intervals: least is ", missing_ones.least,
                    ", but must be in (0, 1]");
    for (const double p : probabilities)
      detail::require<std::domain_error>(p >= missing_ones.least && p <= 1, "soft_intervals: a probability is ", p,
                                         ", but must be from the declared least, ", missing_ones.least, ", to 1");
  } else if (!missing_ones.independent) {
    for (const double loss : losses)
      detail::require(
          !is_missing(loss),
          "soft_intervals: an outcome is missing, but it must be known why: where cells are soft it must be "
          "independent of memberships and loss together (soft_missing::independent), or its probability must "
          "be known (soft_missing::probabilities)");
  }
  const double part = delta / static_cast<double>(cells * m);
  interval_box out{make_matrix<double>(cells, m), make_matrix<double>(cells, m)};
  std::vector<double> values, weights;
  for (std::size_t h = 0; h < m; ++h) {
    for (std::size_t k = 0; k < cells; ++k) {
      values.clear();
      weights.clear();
      for (std::size_t i = 0; i < rows(phi); ++i) {
        const bool observed = !is_missing(losses(i, h));
        if (!observed && !weighted) continue;
        values.push_back(observed ? losses(i, h) : 0);
        weights.push_back(!observed ? 0
                                    : std::clamp(phi(i, k), 0.0, 1.0) *
                                          (weighted ? missing_ones.least / probabilities(i, h) : 1));
      }
      const interval around = Interval::make(values, weights, part);
      out.lower(k, h) = around.lower;
      out.upper(k, h) = around.upper;
    }
  }
  return out;
}

/// The certificate of a rule with soft memberships from intervals that hold at once: `phi` and `choices` belong to
/// prompts drawn independently of the sample behind the intervals. With
///   g(x) = max_{h ≠ r(x)} [ Σ_k Φ_k(x) (U_k(r(x)) − L_k(h)) + λ (c(r(x)) − c(h)) ]₊
/// gap_adaptive is an upper confidence bound on E g, which bounds E[J(x, r)] − E[min_h J(x, h)] for
/// J(x, h) = Φ(x)ᵀ Ψ*(h) + λ c(h). The total regret is at most 2 E[max |Δ|] more (docs/bound.md). Of `delta`, a third
/// goes to each of the three means, all of it to their upper ends. O(n K M). Throws std::invalid_argument for shapes,
/// std::domain_error for values.
inline certificate certify_memberships(const membership_matrix& phi, std::span<const std::uint32_t> choices,
                                       std::span<const double> costs, double lambda, interval_box box, double delta) {
  constexpr auto where = "certify_memberships";
  const std::size_t cells = box.cells(), m = box.models(), n = rows(phi);
  detail::check_delta(where, delta);
  detail::require(n != 0 && columns(phi) == cells && choices.size() == n && costs.size() == m, where,
                  ": memberships is ", n, " x ", columns(phi), ", choices has ", choices.size(), " and costs ",
                  costs.size(), " entries, but there are ", cells, " cells and ", m, " LLMs");
  detail::require(lambda >= 0 && lambda <= std::numeric_limits<double>::max(), where, ": lambda is ", lambda,
                  ", but must be finite and at least 0");
  for (const double cost : costs) detail::check_cost(where, "a cost", cost);
  detail::check_box(where, box);
  certificate out;
  out.target = regret_target::best_profile_rule;
  out.lambda = lambda;
  out.costs.assign(costs.begin(), costs.end());
  std::vector<double> gap(n, 0.0), width(n, 0.0), uniform(n, 0.0), low(m), high(m);
  auto blame = make_matrix<double>(cells, m, 0.0);
  std::vector<double> mass(cells, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t r = choices[i];
    detail::require(r < m, where, ": choices[", i, "] is ", r, ", but must be below ", m);
    std::fill(low.begin(), low.end(), 0.0);
    std::fill(high.begin(), high.end(), 0.0);
    for (std::size_t k = 0; k < cells; ++k) {
      mass[k] += phi(i, k);
      for (std::size_t h = 0; h < m; ++h) {
        low[h] += phi(i, k) * box.lower(k, h);
        high[h] += phi(i, k) * box.upper(k, h);
      }
    }
    double off = 0;
    std::size_t rival = r;
    for (std::size_t h = 0; h < m; ++h) {
      const double dearer = lambda * (costs[r] - costs[h]);
      width[i] = std::max(width[i], high[h] - low[h]);
      off = std::max(off, (low[r] + high[r] - low[h] - high[h]) / 2 + dearer);
      if (h != r && high[r] - low[h] + dearer > gap[i]) {
        gap[i] = high[r] - low[h] + dearer;
        rival = h;
      }
    }
    uniform[i] = width[i] + off;
    if (rival == r) continue;
    for (std::size_t k = 0; k < cells; ++k) blame(k, rival) += phi(i, k) * (box.upper(k, r) - box.lower(k, rival));
  }
  // No g can be above the largest difference of ends and of prices; both are known before the prompts are drawn.
  const auto [cheapest, dearest] = std::minmax_element(costs.begin(), costs.end());
  const double range =
      *std::max_element(box.upper.begin(), box.upper.end()) - *std::min_element(box.lower.begin(), box.lower.end());
  const double most = range + lambda * (*dearest - *cheapest);
  const auto mean = [&](const std::vector<double>& values, double largest) {
    return largest > 0 ? upper_bound_of<betting>(values, 0, largest, delta / 3) : 0;
  };
  out.gap_adaptive = mean(gap, most);
  out.estimation = mean(width, range);
  out.uniform = std::max(out.gap_adaptive, mean(uniform, range + most));
  for (std::size_t k = 0; k < cells; ++k) {
    const auto of = row(blame, k);
    const auto worst = static_cast<std::size_t>(std::max_element(of.begin(), of.end()) - of.begin());
    double amount = 0;
    for (const double a : of) amount += a / static_cast<double>(n);
    const double share = mass[k] / static_cast<double>(n);
    out.parts.push_back({k, worst, share > 0 ? amount / share : 0, share, amount});
  }
  out.lower = std::move(box.lower);
  out.upper = std::move(box.upper);
  return out;
}

/// What `certify_soft` knows, and how it shares δ.
struct certify_soft_options {
  double share_part = 0.1;  ///< of δ, spent on the mean over prompts
  /// Declared: no prompt costs more. Costs are then those of the sample, and profiles are of ℓ + λ c.
  std::optional<double> largest_cost = {};
  soft_missing missing_ones = {};  ///< why outcomes are missing; probabilities are n x all LLMs of the sample
};

/// Certifies a router with a soft map, one cost per model and a Lagrangian rule: intervals from outcomes of its pool on
/// `sample` (the enrolment sample will do), the mean over prompts from `unlabelled`, whose outcomes are not read. The
/// target is the regret, measured by Φ(x)ᵀ Ψ*, to the rule that knows Ψ*. Of δ, `share_part` goes to the mean over
/// prompts. Costs must be known, as in `certify`; a missing outcome is refused unless it is known why (`soft_missing`).
/// Throws not_fitted, std::invalid_argument for prompts shared between `fit`, sample and unlabelled, and as
/// `soft_intervals`; std::domain_error for a cost above the declared largest.
template <class Interval = betting, class Router, class Loss, class Other>
certificate certify_soft(const Router& router, const basic_routing_table<Loss>& sample,
                         const basic_routing_table<Other>& unlabelled, confidence_level level,
                         const certify_soft_options& options = {}) {
  static_assert(
      ratio_interval<Interval>,
      "certify_soft: Interval must model ratio_interval: loss_type, guarantee, make(values, weights, delta) -> "
      "interval; a profile of soft cells is a ratio of means, which intervals for a mean do not cover (betting "
      "does)");
  static_assert(cell_based<typename Router::predictor_type> && !hard_cell_based<typename Router::predictor_type>,
                "certify_soft: the router's Predictor must be cell_based with a soft map; for hard cells use certify, "
                "which is tighter");
  static_assert(std::same_as<typename Router::rule_type, lagrangian_rule>,
                "certify_soft: Rule must be lagrangian_rule, whose lambda the certificate is about");
  static_assert(
      std::same_as<typename Router::costs_type, mean_cost>,
      "certify_soft: Costs must be mean_cost: the certificate needs one cost per model, known and not estimated "
      "per prompt");
  constexpr auto where = "certify_soft";
  detail::require<not_fitted>(router.size() != 0, where,
                              ": the pool is empty, but must have at least one model (enroll)");
  detail::require(sample.size() != 0 && unlabelled.size() != 0, where, ": the tables have ", sample.size(), " and ",
                  unlabelled.size(), " prompts, but must have at least 1 each");
  const double share_part = options.share_part, lambda = router.rule().options().lambda;
  detail::require(share_part > 0 && share_part < 1, where, ": share_part is ", share_part,
                  ", but must be between 0 and 1");
  detail::require(!router.rule().options().normalise_costs, where,
                  ": the rule's costs are normalised, but lambda must be per unit cost");
  constexpr auto why = "the map was made from it, and intervals hold for maps that do not know the sample";
  detail::require_fresh(where, router.fitted_on(), sample, "fit", why);
  detail::require_fresh(where, router.fitted_on(), unlabelled, "fit", why);
  constexpr auto mean_why = "the gap is known from the labelled sample, and its mean must be taken over other prompts";
  detail::require_fresh(where, router.enrolled_on(), unlabelled, "enroll", mean_why);
  detail::require_fresh(where, sample_record(sample), unlabelled, "the labelled sample", mean_why);
  detail::require_known_costs(where, router, lambda, options.largest_cost);
  if (options.missing_ones.probabilities.size() == 0) detail::require_random_labels(where, router, sample);
  const bool priced = options.largest_cost && lambda > 0;
  const double scale = priced ? 1 + lambda * *options.largest_cost : 1;
  const auto& map = router.predictor_policy().map();
  const auto columns = detail::pool_columns(router, sample);
  std::vector<std::size_t> all(sample.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const loss_matrix losses =
      take(priced ? detail::objectives(where, sample, columns, lambda, *options.largest_cost) : sample.losses(), all,
           columns);
  soft_missing missing_ones = options.missing_ones;
  if (missing_ones.probabilities.size() != 0) {
    detail::require(missing_ones.probabilities.shape() == sample.losses().shape(), where, ": probabilities is ",
                    rows(missing_ones.probabilities), " x ", uniroute::columns(missing_ones.probabilities),
                    ", but must be ", sample.size(), " x ", sample.model_count());
    missing_ones.probabilities = take(missing_ones.probabilities, all, columns);
  }
  const embedding_matrix x = embed(router.reader(), unlabelled);
  auto box = soft_intervals<Interval>(map.memberships(embed(router.reader(), sample)), losses,
                                      level.delta() * (1 - share_part), missing_ones);
  box.lower *= scale;
  box.upper *= scale;
  const auto costs = router.costs().costs();
  const std::vector<double> inside(costs.size(), 0.0);  // λ c is in the intervals
  certificate out = certify_memberships(map.memberships(x), router.route(x), priced ? std::span(inside) : costs,
                                        priced ? 0 : lambda, std::move(box), level.delta() * share_part);
  out.lambda = lambda;
  out.costs.assign(costs.begin(), costs.end());
  if (priced) out.largest_objective = scale;
  out.level = level.value();
  return out;
}

}  // namespace uniroute
