#pragma once

// What prompts that nobody has seen say of a router: its risk, and how it compares, with no word on the Bayes error.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <vector>

namespace uniroute {

/// The price at which `certify_held_out` weighs costs, and the largest of them.
struct held_out_options {
  std::optional<double> lambda = {};  ///< the price in J = ℓ + λ c; not given: a Lagrangian rule's own, else 0
  std::optional<double> largest_cost =
      {};  ///< declared: the table's costs count, none above it; else the router's c(h)
};

/// What the sample says, without a promise: means of the observed losses, and of the table's costs.
struct sample_means {
  double loss = 0;
  double cost = 0;
};

/// What holds, all at once, with probability `level` over the held-out sample. No assumption on missing outcomes: one
/// counts as 1 where it harms the statement and as 0 where it would help it, so many of them make intervals wide.
struct held_out_certificate {
  double level = 0;
  double lambda = 0;
  std::size_t prompts = 0;
  std::size_t missing = 0;          ///< prompts whose chosen outcome is missing
  interval risk;                    ///< E ℓ of the router's choices
  interval adjusted_risk;           ///< J = E[ℓ + λ c]
  std::vector<interval> to_single;  ///< E[ℓ_router − ℓ_h], one per model as in models(); paired
  interval to_best_single;  ///< E ℓ_router − min_h E ℓ_h: below 0, the router errs less than every single LLM
  std::vector<interval> to_single_adjusted;  ///< the same of J
  /// J(router) − min_h J(h). At the price λ the best that ignores the prompt is a single LLM, and every mixture on the
  /// lower envelope is a mean of such: this is the difference to ZeroRouter at that λ.
  interval to_zero_router;
  sample_means mean;                 ///< of the router's choices, in the sample
  std::vector<sample_means> single;  ///< of each model
  std::size_t best_single = 0;       ///< of the least mean loss in the sample; ties to the lower cost
};

/// Total regret in hindsight, target (ii): E[ℓ_r + λ c_r − min_h (ℓ_h + λ c_h)], at least the regret to the
/// Bayes-optimal rule, because knowing outcomes beats knowing probabilities. Valid for any router and any world, and
/// loose.
struct hindsight_certificate {
  interval regret;  ///< from 0 to what bounds the total regret with probability `level`: one-sided, all of δ above
  double level = 0;
  double lambda = 0;
  std::size_t prompts = 0;
  regret_target target = regret_target::hindsight;
};

namespace detail {

template <class Interval, class Sample>
constexpr void require_held_out() {
  require_handed_over<Sample>();
  static_assert(is_held_out<std::remove_cvref_t<Sample>>,
                "certify_held_out: the sample must be held_out{table}: what is promised holds on prompts that nothing "
                "was fitted, enrolled or chosen on, and the type says so");
  static_assert(interval_for<Interval, bounded_loss>,
                "certify_held_out: Interval must hold for bounded losses (betting, empirical_bernstein, hoeffding): "
                "differences and costs are graded even where losses are 0 or 1");
  static_assert(!interval_kind<Interval> || finite_sample_guarantee<Interval>,
                "certify_held_out: the interval holds only asymptotically: take a finite-sample one (betting)");
}

}  // namespace detail

/// Certifies any router on held-out prompts. A quarter of δ goes to each of risk, J, and the two families of paired
/// differences (shared evenly over their M members); of a sample that has a share of δ, that share counts. O(M)
/// intervals of n values. The sample is spent. Throws not_fitted, std::invalid_argument for prompts that the router was
/// fitted or enrolled on, an empty table, a model that the table lacks, costs that vary by prompt without a declared
/// largest; std::domain_error for a cost above.
template <class Interval = betting, class Router, class Sample>
held_out_certificate certify_held_out(const Router& router, Sample&& sample, confidence_level level,
                                      const held_out_options& options = {}) {
  detail::require_held_out<Interval, Sample>();
  held_out_certificate out;
  if constexpr (detail::is_handed_over<Sample> && interval_for<Interval, bounded_loss>) {
    const auto spent = std::move(sample);
    const auto s = detail::realise("certify_held_out", router, spent.table(), options.lambda, options.largest_cost);
    const std::size_t n = rows(s.losses), m = columns(s.losses);
    const double part = level.delta() * spent.share() / 4, each = part / static_cast<double>(m);
    out.level = level.value();
    out.lambda = s.lambda;
    out.prompts = n;
    out.missing = s.missing;
    const auto columns_of = detail::pool_columns(router, spent.table());
    const auto means = [&](auto&& choice) {
      sample_means of;
      double observed = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t h = choice(i);
        of.cost += spent.table().costs()(i, columns_of[h]) / static_cast<double>(n);
        if (is_missing(s.losses(i, h))) continue;
        of.loss += s.losses(i, h);
        observed += 1;
      }
      of.loss = observed > 0 ? of.loss / observed : missing;
      return of;
    };
    out.mean = means([&](std::size_t i) { return s.choices[i]; });
    for (std::size_t h = 0; h < m; ++h) {
      out.single.push_back(means([&](std::size_t) { return h; }));
      const auto &mine = out.single[h], &best = out.single[out.best_single];
      if (mine.loss < best.loss || (mine.loss == best.loss && mine.cost < best.cost)) out.best_single = h;
    }
    std::vector<double> low(n), high(n), low_j(n), high_j(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double loss = s.losses(i, s.choices[i]), price = s.lambda * s.costs(i, s.choices[i]);
      low[i] = detail::or_else(loss, 0);
      high[i] = detail::or_else(loss, 1);
      low_j[i] = low[i] + price;
      high_j[i] = high[i] + price;
    }
    out.risk = detail::interval_between<Interval>(low, high, 0, 1, part);
    out.adjusted_risk = detail::interval_between<Interval>(low_j, high_j, 0, 1 + s.lambda * s.largest_cost, part);
    constexpr double unset = std::numeric_limits<double>::infinity();
    out.to_best_single = out.to_zero_router = {-unset, -unset};
    const double most = 1 + s.lambda * s.cost_range;
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t r = s.choices[i];
        const double price = s.lambda * (s.costs(i, r) - s.costs(i, h));
        low[i] = r == h ? 0 : detail::or_else(s.losses(i, r), 0) - detail::or_else(s.losses(i, h), 1);
        high[i] = r == h ? 0 : detail::or_else(s.losses(i, r), 1) - detail::or_else(s.losses(i, h), 0);
        low_j[i] = low[i] + price;
        high_j[i] = high[i] + price;
      }
      const interval plain = detail::interval_between<Interval>(low, high, -1, 1, each);
      const interval priced = detail::interval_between<Interval>(low_j, high_j, -most, most, each);
      out.to_single.push_back(plain);
      out.to_single_adjusted.push_back(priced);
      out.to_best_single = {std::max(out.to_best_single.lower, plain.lower),
                            std::max(out.to_best_single.upper, plain.upper)};
      out.to_zero_router = {std::max(out.to_zero_router.lower, priced.lower),
                            std::max(out.to_zero_router.upper, priced.upper)};
    }
  }
  return out;
}

/// Total regret of any router in hindsight, on held-out prompts, which are spent. Missing outcomes as in
/// `certify_held_out`. Throws as `certify_held_out`.
template <class Interval = betting, class Router, class Sample>
hindsight_certificate certify_hindsight(const Router& router, Sample&& sample, confidence_level level,
                                        const held_out_options& options = {}) {
  detail::require_held_out<Interval, Sample>();
  hindsight_certificate out;
  if constexpr (detail::is_handed_over<Sample> && interval_for<Interval, bounded_loss>) {
    const auto spent = std::move(sample);
    const auto s = detail::realise("certify_hindsight", router, spent.table(), options.lambda, options.largest_cost);
    const std::size_t n = rows(s.losses), m = columns(s.losses);
    std::vector<double> high(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t r = s.choices[i];
      for (std::size_t h = 0; h < m; ++h) {
        if (h == r) continue;
        const double price = s.lambda * (s.costs(i, r) - s.costs(i, h));
        high[i] = std::max(high[i], detail::or_else(s.losses(i, r), 1) - detail::or_else(s.losses(i, h), 0) + price);
      }
    }
    out.regret = {0, upper_bound_of<Interval>(high, 0, 1 + s.lambda * s.cost_range, level.delta() * spent.share())};
    out.level = level.value();
    out.lambda = s.lambda;
    out.prompts = n;
  }
  return out;
}

}  // namespace uniroute
