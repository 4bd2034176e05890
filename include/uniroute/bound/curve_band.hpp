#pragma once

// How far a whole deferral curve may be off: bands of loss and cost that hold at all prices at once.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/guard.hpp>
#include <uniroute/bound/multiplier_bootstrap.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/evaluate/trace_router.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Loss and cost of a router at one price, over prompts: means in the sample, and intervals for the means of the law.
struct banded_point {
  double lambda = 0;
  double loss = 0, cost = 0;
  interval loss_band, cost_band;
};

/// With probability `level`, every mean is in its interval, at all prices at once.
struct curve_band {
  std::vector<banded_point> points;  ///< in the order of the prices given
  double level = 0;
  bool only_asymptotic = false;  ///< the level is reached in the limit of large samples only
};

/// From what a fixed router's choices lost and cost (n x G each, a column a price, none missing): ± q standard errors,
/// q the (1 − δ)-quantile over draws of Gaussian multipliers g, one a prompt, of the largest |Σ_i g_i (v_i − mean)| /
/// (sqrt(n) s) over the 2 G means (Chernozhukov, Chetverikov and Kato 2013): prices whose choices are nearly the same
/// cost nearly nothing. s² has half a unit of range² and one prompt added. Asymptotic. O(draws · n G). Throws
/// std::invalid_argument for shapes and options.
inline curve_band band_of(const matrix<double>& losses, const matrix<double>& costs, std::span<const double> prices,
                          confidence_level level, asymptotic, const multiplier_bootstrap_options& options = {}) {
  constexpr auto where = "band_of";
  const std::size_t n = rows(losses), g = columns(losses);
  detail::require(n != 0 && g != 0 && costs.shape() == losses.shape() && prices.size() == g, where, ": losses is ", n,
                  " x ", g, ", costs ", rows(costs), " x ", columns(costs), " and prices has ", prices.size(),
                  " entries, but they must agree and be at least 1 x 1");
  detail::require(options.draws >= 100, where, ": draws is ", options.draws, ", but must be at least 100");
  const double count = static_cast<double>(n);
  // Residuals of both, side by side: 2 G columns.
  auto residuals = make_matrix<double>(n, 2 * g);
  std::vector<double> means(2 * g, 0.0), errors(2 * g, 0.0), largest(2 * g, 0.0);
  const auto value = [&](std::size_t i, std::size_t c) { return c < g ? losses(i, c) : costs(i, c - g); };
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < 2 * g; ++c) {
      means[c] += value(i, c) / count;
      largest[c] = std::max(largest[c], c < g ? 1.0 : value(i, c));
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < 2 * g; ++c) {
      residuals(i, c) = value(i, c) - means[c];
      errors[c] += residuals(i, c) * residuals(i, c);
    }
  }
  for (std::size_t c = 0; c < 2 * g; ++c)
    errors[c] = std::sqrt((errors[c] + largest[c] * largest[c] / 2) / (count + 1) / count);
  std::vector<double> most(options.draws), sums(2 * g);
  for (std::size_t b = 0; b < options.draws; ++b) {
    random_engine draws(derive_seed(options.seed, b));
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const double weight = draws.normal();
      const double* const residual = row(residuals, i).data();
      for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += weight * residual[c];
    }
    most[b] = 0;
    for (std::size_t c = 0; c < sums.size(); ++c) {
      if (errors[c] > 0) most[b] = std::max(most[b], std::fabs(sums[c]) / (count * errors[c]));
    }
  }
  std::sort(most.begin(), most.end());
  const double draws = static_cast<double>(options.draws);
  const double q = most[static_cast<std::size_t>(std::min(draws - 1, std::ceil(level.value() * draws)))];
  curve_band out{{}, level.value(), true};
  for (std::size_t c = 0; c < g; ++c) {
    const double loss = q * errors[c], cost = q * errors[c + g];
    out.points.push_back({prices[c],
                          means[c],
                          means[c + g],
                          {std::max(0.0, means[c] - loss), std::min(1.0, means[c] + loss)},
                          {std::max(0.0, means[c + g] - cost), means[c + g] + cost}});
  }
  return out;
}

/// The same with a finite-sample guarantee: each of the 2 G intervals (of kind Interval) at δ / 2G, costs in [0,
/// largest_cost], which must be declared. Wider. Throws as above, and std::domain_error for a cost above the largest.
template <class Interval>
curve_band band_of(const matrix<double>& losses, const matrix<double>& costs, std::span<const double> prices,
                   confidence_level level, double largest_cost) {
  static_assert(interval_for<Interval, bounded_loss> && finite_sample_guarantee<Interval>,
                "band_of: Interval must hold for bounded losses at every sample size (betting, empirical_bernstein, "
                "hoeffding)");
  constexpr auto where = "band_of";
  const std::size_t n = rows(losses), g = columns(losses);
  detail::require(n != 0 && g != 0 && costs.shape() == losses.shape() && prices.size() == g, where, ": losses is ", n,
                  " x ", g, ", costs ", rows(costs), " x ", columns(costs), " and prices has ", prices.size(),
                  " entries, but they must agree and be at least 1 x 1");
  detail::require(largest_cost > 0 && std::isfinite(largest_cost), where, ": largest_cost is ", largest_cost,
                  ", but must be declared, finite and above 0");
  for (const double c : costs)
    detail::require<std::domain_error>(c >= 0 && c <= largest_cost, where, ": a cost is ", c,
                                       ", but must be from 0 to the declared largest, ", largest_cost);
  const double each = level.delta() / static_cast<double>(2 * g);
  curve_band out{{}, level.value(), false};
  for (std::size_t c = 0; c < g; ++c) {
    const std::vector<double> loss = column(losses, c), cost = column(costs, c);
    banded_point p{prices[c], 0, 0, interval_of<Interval>(loss, each),
                   interval_of<Interval>(cost, 0, largest_cost, each)};
    for (std::size_t i = 0; i < n; ++i) {
      p.loss += loss[i] / static_cast<double>(n);
      p.cost += cost[i] / static_cast<double>(n);
    }
    out.points.push_back(p);
  }
  return out;
}

namespace detail {

/// What a router's predictions would lose and cost at each price, n x G; a missing chosen outcome counts as 1.
struct realised_along {
  matrix<double> losses, costs;
};

template <class Router, class Loss>
realised_along realise_along(std::string_view where, const Router& router, const basic_routing_table<Loss>& table,
                             std::span<const double> prices) {
  require(!prices.empty(), where, ": prices has 0 entries, but must have at least 1");
  check_fresh_sample(where, router, table);
  const auto columns_of = pool_columns(router, table);
  const embedding_matrix x = embed(router.reader(), table);
  // Ties go as the router breaks them: its rule sees the pool by name.
  const auto order = alphabetical_order(router.models());
  const loss_matrix predicted = take_columns(router.predict(x), order);
  const cost_matrix expected = take_columns(router.estimate_costs(x), order);
  realised_along out{make_matrix<double>(table.size(), prices.size()),
                     make_matrix<double>(table.size(), prices.size())};
  for (std::size_t g = 0; g < prices.size(); ++g) {
    const auto choices = choices_at(predicted, expected, prices[g]);
    for (std::size_t i = 0; i < table.size(); ++i) {
      const std::size_t h = columns_of[order[choices[i]]];
      out.losses(i, g) = or_else(table.losses()(i, h), 1);
      out.costs(i, g) = table.costs()(i, h);
    }
  }
  return out;
}

}  // namespace detail

/// The band of a router's deferral curve along `prices` (fixed beforehand), on prompts that it has not seen, which are
/// spent. The router's own rule is not read: choices are argmin predicted loss + λ · cost estimate. A missing chosen
/// outcome counts as wrong. Asymptotic, and says so; `band_along<betting>(…, largest_cost)` is guaranteed. Throws as
/// `certify_against` and `band_of`.
template <class Router, class Sample>
curve_band band_along(const Router& router, Sample&& sample, std::span<const double> prices, confidence_level level,
                      asymptotic, const multiplier_bootstrap_options& options = {}) {
  detail::require_handed_over<Sample>();
  curve_band out;
  if constexpr (detail::is_handed_over<Sample>) {
    const auto spent = std::move(sample);
    const auto seen = detail::realise_along("band_along", router, spent.table(), prices);
    const confidence_level part(1 - level.delta() * spent.share());
    out = band_of(seen.losses, seen.costs, prices, part, asymptotic{}, options);
    out.level = level.value();
  }
  return out;
}

/// The same with a finite-sample guarantee.
template <class Interval, class Router, class Sample>
curve_band band_along(const Router& router, Sample&& sample, std::span<const double> prices, confidence_level level,
                      double largest_cost) {
  detail::require_handed_over<Sample>();
  curve_band out;
  if constexpr (detail::is_handed_over<Sample>) {
    const auto spent = std::move(sample);
    const auto seen = detail::realise_along("band_along", router, spent.table(), prices);
    const confidence_level part(1 - level.delta() * spent.share());
    out = band_of<Interval>(seen.losses, seen.costs, prices, part, largest_cost);
    out.level = level.value();
  }
  return out;
}

/// Refused with a sentence: it does not guess a guarantee.
template <class Router, class Sample>
curve_band band_along(const Router&, Sample&&, std::span<const double>, confidence_level) {
  static_assert(detail::accepted<Router>,
                "band_along: without uniroute::asymptotic{} name a finite-sample interval and the largest cost, "
                "band_along<betting>(router, sample, prices, level, largest_cost)");
  return {};
}

}  // namespace uniroute
