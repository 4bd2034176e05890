#pragma once

// Quality against cost as λ sweeps [0, ∞): every switching point of every prompt, not a grid of λ.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/lower_hull.hpp>
#include <uniroute/numeric/running_sum.hpp>
#include <uniroute/numeric/sort_keys.hpp>
#include <uniroute/observed.hpp>
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

/// One prompt's change of model, with what the tally needs of it.
struct model_switch {
  std::uint32_t prompt, from, to;
  double loss_from, loss_to, cost_from, cost_to;
};

/// Realised means of changing choices, O(1) a change: sums are kept per model, so that missing outcomes are filled by
/// the model's mean over observed choices. Costs are summed without drift, never below 0. The running total of losses
/// is summed up afresh every so often, so that its rounding is that of some thousand additions.
class choice_tally {
 public:
  explicit choice_tally(const loss_matrix& losses)
      : losses_(losses), models_(columns(losses)), chosen_(models_.size()) {}

  void choose(std::size_t h, double loss, double cost) noexcept {
    change(h, loss, 1);
    cost_.add(cost);
  }

  void apply(const model_switch& s) {
    change(s.from, s.loss_from, -1);
    change(s.to, s.loss_to, 1);
    cost_.add(-s.cost_from);
    cost_.add(s.cost_to);
  }

  curve_point point(double lambda) {
    if (changes_ > 1024 + 16 * models_.size()) {
      changes_ = 0;
      loss_ = 0;
      for (const auto& model : models_) loss_ += model.loss;
    }
    const double n = static_cast<double>(rows(losses_));
    return {lambda, std::max(0.0, cost_.value()) / n, 1 - loss_ / n, seen_ / n};
  }

  std::span<const double> chosen() const noexcept { return chosen_; }

 private:
  struct model_sums {
    double observed = 0, sum = 0, loss = 0;  ///< loss: over all choices, missing ones filled
    double fallback = -1;                    ///< mean over the sample; -1: not needed yet
  };

  void change(std::size_t h, double loss, double sign) {
    ++changes_;
    model_sums& model = models_[h];
    chosen_[h] += sign;
    if (!is_missing(loss)) {
      model.observed += sign;
      model.sum += sign * loss;
      seen_ += sign;
    }
    double now = model.sum;
    if (model.observed != chosen_[h])
      now = chosen_[h] * (model.observed > 0 ? model.sum / model.observed : sample_mean(model, h));
    if (chosen_[h] == 0) model.sum = now = 0;
    loss_ += now - model.loss;
    model.loss = now;
  }

  /// Half where the model was never observed.
  double sample_mean(model_sums& model, std::size_t h) const noexcept {
    if (model.fallback < 0) model.fallback = column_mean(losses_, h, 0.5);
    return model.fallback;
  }

  const loss_matrix& losses_;
  std::vector<model_sums> models_;
  std::vector<double> chosen_;
  running_sum cost_;
  double loss_ = 0, seen_ = 0;
  std::size_t changes_ = 0;
};

/// Model indices by (cost, index). Starts from the order of the row before, which costs little where costs are alike.
inline void sort_models(std::span<const double> costs, std::vector<std::uint32_t>& by_cost) {
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return costs[a] < costs[b] || (costs[a] == costs[b] && a < b);
  };
  if (by_cost.size() > 16) {
    std::sort(by_cost.begin(), by_cost.end(), before);
    return;
  }
  for (std::size_t at = 1; at < by_cost.size(); ++at) {
    const std::uint32_t h = by_cost[at];
    std::size_t to = at;
    for (; to > 0 && before(h, by_cost[to - 1]); --to) by_cost[to] = by_cost[to - 1];
    by_cost[to] = h;
  }
}

}  // namespace detail

/// What `trace_curve` keeps of each point.
struct deferral_curve_options {
  bool shares = false;  ///< also keep the share of prompts per model at every point
};

/// The curve of argmin γ̂ + λ ĉ. `predicted` is n x M, or 1 x M for a rule that does not see the prompt; `estimates` are
/// the costs the rule sees, n x M or 1 x M; `losses` (missing allowed) and `costs` are realised, n x M.
/// Where a chosen outcome is missing, the mean over the model's observed choices stands for it, weighted by the share
/// of choices; where none of its choices was observed, the model's mean over the sample. O(n M + switches), a sort a
/// row if estimates vary by prompt. Ties at one λ switch together. Throws std::invalid_argument for shapes,
/// std::domain_error for values.
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
  for (const double cost : estimates) detail::check_cost(where, "a cost estimate", cost);

  std::vector<std::uint32_t> by_cost(m), hull(m), first(n);
  std::iota(by_cost.begin(), by_cost.end(), 0U);
  const bool shared_costs = rows(estimates) == 1;
  const bool shared_losses = rows(predicted) == 1;
  if (shared_costs) detail::sort_models(row(estimates, 0), by_cost);

  detail::choice_tally tally(losses);
  std::vector<detail::model_switch> switches;
  std::vector<detail::sort_key> order;  // of switches, by λ
  switches.reserve(4 * n);
  order.reserve(4 * n);
  std::size_t size = 0;  // of hull
  const std::size_t checked_rows = std::max<std::size_t>(1, 2048 / m);
  for (std::size_t i = 0; i < n; ++i) {
    if (i % checked_rows == 0 && i < rows(predicted)) {  // while it is in cache
      const std::size_t last = std::min(rows(predicted), i + checked_rows);
      const std::span<const double> block(predicted.data() + i * m, (last - i) * m);
      if (detail::first_bad(block, detail::is_finite<double>) != block.size())
        detail::check_finite(where, "predicted", predicted);
    }
    const auto loss = row(predicted, shared_losses ? 0 : i);
    const auto cost = row(estimates, shared_costs ? 0 : i);
    if (!shared_costs) detail::sort_models(cost, by_cost);
    if (i == 0 || !shared_costs || !shared_losses) size = detail::lower_hull(loss, cost, by_cost, hull);
    first[i] = hull[size - 1];
    for (std::size_t k = size - 1; k > 0; --k) {
      const std::uint32_t from = hull[k], to = hull[k - 1];
      order.emplace_back((loss[to] - loss[from]) / (cost[from] - cost[to]),
                         static_cast<std::uint32_t>(switches.size()));
      switches.push_back({static_cast<std::uint32_t>(i), from, to, 0, 0, 0, 0});
    }
  }
  // Outcomes lie far apart: read in loops of their own, they wait for memory together.
  for (auto& s : switches) {
    s.loss_from = losses(s.prompt, s.from);
    s.loss_to = losses(s.prompt, s.to);
    s.cost_from = costs(s.prompt, s.from);
    s.cost_to = costs(s.prompt, s.to);
  }
  for (std::size_t i = 0; i < n; ++i) tally.choose(first[i], losses(i, first[i]), costs(i, first[i]));
  detail::sort_keys(order);

  deferral_curve out;
  std::vector<float> shares;
  const auto record = [&](double lambda) {
    out.points.push_back(tally.point(lambda));
    if (!options.shares) return;
    for (const double count : tally.chosen()) shares.push_back(static_cast<float>(count / static_cast<double>(n)));
  };
  out.points.reserve(order.size() + 1);
  record(0);
  for (std::size_t at = 0; at < order.size();) {
    const std::uint64_t bits = order[at].bits;
    const double lambda = order[at].value();
    for (; at < order.size() && order[at].bits == bits; ++at) tally.apply(switches[order[at].index]);
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
  const std::size_t n = rows(losses), m = columns(losses);
  std::vector<double> sums(m, 0.0), observed(m, 0.0), paid(m, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      const double loss = losses(i, h);
      paid[h] += costs(i, h);
      if (is_missing(loss)) continue;
      sums[h] += loss;
      observed[h] += 1;
    }
  }
  std::vector<curve_point> out(m);
  const double count = static_cast<double>(n);
  for (std::size_t h = 0; h < m; ++h)
    out[h] = {0, paid[h] / count, 1 - (observed[h] > 0 ? sums[h] / observed[h] : 0.5), observed[h] / count};
  return out;
}

}  // namespace uniroute
