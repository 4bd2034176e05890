#pragma once

// Quality against cost as λ sweeps [0, ∞): every switching point of every prompt, not a grid of λ.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <vector>

namespace uniroute {

/// Means over the test prompts of the rule's choices at one λ.
struct curve_point {
  double lambda = 0;    ///< the choices hold from here up to the next point's λ
  double cost = 0;      ///< mean realised cost
  double quality = 0;   ///< 1 − mean realised loss
  double coverage = 1;  ///< share of choices whose outcome was observed
};

/// A polyline in λ: points by rising λ, from the best predicted quality to the cheapest models.
struct deferral_curve {
  std::vector<curve_point> points;
  matrix<float> shares = make_matrix<float>(0, 0);  ///< share of prompts per model, a row a point, if asked for
};

namespace detail {

struct switching_point {
  double lambda;
  std::uint32_t prompt, from, to;
};

/// The minimisers of loss + λ cost over λ >= 0: the falling part of the lower convex hull of (cost, loss).
/// `by_cost` are model indices by (cost, loss, index); `hull` gets them by rising cost.
inline void lower_hull(std::span<const double> losses, std::span<const double> costs,
                       std::span<const std::uint32_t> by_cost, std::vector<std::uint32_t>& hull) {
  hull.clear();
  for (const std::uint32_t h : by_cost) {
    if (!hull.empty() && losses[h] >= losses[hull.back()]) continue;  // dearer (or as dear) and no better
    while (hull.size() >= 2) {
      const std::uint32_t a = hull[hull.size() - 2], b = hull.back();
      const bool above =
          (losses[a] - losses[b]) * (costs[h] - costs[a]) <= (losses[a] - losses[h]) * (costs[b] - costs[a]);
      if (!above) break;
      hull.pop_back();
    }
    // A better model at the same cost replaces the one before (only where order was shared between rows).
    if (!hull.empty() && costs[hull.back()] == costs[h]) hull.pop_back();
    hull.push_back(h);
  }
}

/// Realised means, kept per model, so that missing outcomes are filled by the model's mean over observed choices.
class choice_tally {
 public:
  choice_tally(const loss_matrix& losses, const cost_matrix& costs)
      : losses_(losses),
        costs_(costs),
        chosen_(columns(losses)),
        observed_(columns(losses)),
        sums_(columns(losses)),
        fallback_(columns(losses), 0.5) {
    for (std::size_t h = 0; h < columns(losses); ++h) {
      double sum = 0, count = 0;
      for (std::size_t i = 0; i < rows(losses); ++i) {
        if (is_missing(losses(i, h))) continue;
        sum += losses(i, h);
        count += 1;
      }
      if (count > 0) fallback_[h] = sum / count;
    }
  }

  void add(std::size_t i, std::size_t h, double sign) noexcept {
    chosen_[h] += sign;
    cost_ += sign * costs_(i, h);
    const double loss = losses_(i, h);
    if (is_missing(loss)) return;
    observed_[h] += sign;
    sums_[h] += sign * loss;
  }

  curve_point point(double lambda) const noexcept {
    const double n = static_cast<double>(rows(losses_));
    double loss = 0, seen = 0;
    for (std::size_t h = 0; h < chosen_.size(); ++h) {
      if (chosen_[h] <= 0) continue;
      loss += chosen_[h] * (observed_[h] > 0 ? sums_[h] / observed_[h] : fallback_[h]);
      seen += observed_[h];
    }
    return {lambda, cost_ / n, 1 - loss / n, seen / n};
  }

  std::span<const double> chosen() const noexcept { return chosen_; }

 private:
  const loss_matrix& losses_;
  const cost_matrix& costs_;
  std::vector<double> chosen_, observed_, sums_, fallback_;
  double cost_ = 0;
};

}  // namespace detail

struct deferral_curve_options {
  bool shares = false;  ///< also keep the share of prompts per model at every point
};

/// The curve of argmin γ̂ + λ ĉ. `predicted` is n x M, or 1 x M for a rule that does not see the prompt; `estimates` are
/// the costs the rule sees, n x M or 1 x M; `losses` (missing allowed) and `costs` are realised, n x M.
/// Where a chosen outcome is missing, the mean over the model's observed choices stands for it, weighted by the share
/// of choices; where none of its choices was observed, the model's mean over the sample. O(n M + sort), a sort a row if
/// estimates vary by prompt. Ties at one λ switch together. Throws std::invalid_argument for shapes, std::domain_error
/// for values.
inline deferral_curve trace_curve(const loss_matrix& predicted, const cost_matrix& estimates, const loss_matrix& losses,
                                  const cost_matrix& costs, deferral_curve_options options = {}) {
  constexpr auto where = "trace_curve";
  const std::size_t n = rows(losses), m = columns(losses);
  detail::require(n != 0 && m != 0, where, ": losses is ", n, " x ", m, ", but must be at least 1 x 1");
  const auto check_shape = [&](std::string_view thing, const matrix<double>& values, bool one_row) {
    detail::require(columns(values) == m && (rows(values) == n || (one_row && rows(values) == 1)), where, ": ", thing,
                    " is ", rows(values), " x ", columns(values), ", but must be ", n, " x ", m,
                    one_row ? " (or have one row)" : "");
  };
  check_shape("predicted", predicted, true);
  check_shape("estimates", estimates, true);
  check_shape("costs", costs, false);
  detail::check_finite(where, "predicted", predicted);
  for (const double cost : estimates) detail::check_cost(where, "a cost estimate", cost);

  std::vector<std::uint32_t> by_cost(m), hull;
  const auto sort_models = [&](std::span<const double> c) {
    for (std::size_t h = 0; h < m; ++h) by_cost[h] = static_cast<std::uint32_t>(h);
    std::stable_sort(by_cost.begin(), by_cost.end(), [&](auto a, auto b) { return c[a] < c[b]; });
  };
  const bool shared_costs = rows(estimates) == 1;
  const bool shared_losses = rows(predicted) == 1;
  if (shared_costs) sort_models(row(estimates, 0));

  detail::choice_tally tally(losses, costs);
  std::vector<detail::switching_point> switches;
  for (std::size_t i = 0; i < n; ++i) {
    const auto loss = row(predicted, shared_losses ? 0 : i);
    const auto cost = row(estimates, shared_costs ? 0 : i);
    if (!shared_costs) sort_models(cost);
    if (i == 0 || !shared_costs || !shared_losses) detail::lower_hull(loss, cost, by_cost, hull);
    tally.add(i, hull.back(), 1);
    for (std::size_t k = hull.size() - 1; k > 0; --k) {
      const std::uint32_t from = hull[k], to = hull[k - 1];
      switches.push_back({(loss[to] - loss[from]) / (cost[from] - cost[to]), static_cast<std::uint32_t>(i), from, to});
    }
  }
  std::stable_sort(switches.begin(), switches.end(), [](const auto& a, const auto& b) { return a.lambda < b.lambda; });

  deferral_curve out;
  std::vector<float> shares;
  const auto record = [&](double lambda) {
    out.points.push_back(tally.point(lambda));
    if (!options.shares) return;
    for (const double count : tally.chosen()) shares.push_back(static_cast<float>(count / static_cast<double>(n)));
  };
  record(0);
  for (std::size_t at = 0; at < switches.size();) {
    const double lambda = switches[at].lambda;
    for (; at < switches.size() && switches[at].lambda == lambda; ++at) {
      tally.add(switches[at].prompt, switches[at].from, -1);
      tally.add(switches[at].prompt, switches[at].to, 1);
    }
    record(lambda);
  }
  if (options.shares) {
    out.shares = make_matrix<float>(out.points.size(), m);
    std::copy(shares.begin(), shares.end(), out.shares.begin());
  }
  return out;
}

/// Cost and quality of asking one model for every prompt; what a curve is measured against. M entries.
inline std::vector<curve_point> single_models(const loss_matrix& losses, const cost_matrix& costs) {
  std::vector<curve_point> out;
  for (std::size_t h = 0; h < columns(losses); ++h) {
    detail::choice_tally tally(losses, costs);
    for (std::size_t i = 0; i < rows(losses); ++i) tally.add(i, h, 1);
    out.push_back(tally.point(0));
  }
  return out;
}

}  // namespace uniroute
