#pragma once

// Routing and cascading in one rule: before every step the best of all sets of LLMs that could still be asked.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What is believed of an answer's quality: a normal law.
struct quality_belief {
  double mean = 0;
  double deviation = 0;  ///< at least 0; 0: known
};

/// What an answer's score says of its quality: mean intercept + slope · score + prior_weight · the mean before, with
/// the deviation that is left. Fitted per LLM on validation outcomes by least squares.
struct belief_update {
  double intercept = 0, slope = 0, prior_weight = 1;
  double deviation_before = 0.5;  ///< of the quality around what the prediction alone says of it
  double deviation_after = 0.5;   ///< once the answer's score is known
};

namespace detail {

/// Least squares of y on the first `terms` of three regressors, and the mean square that is left (per degree of
/// freedom).
struct small_regression {
  std::array<double, 3> weights{};
  double variance = 0;
  bool solved = false;

  small_regression(std::span<const std::array<double, 3>> x, std::span<const double> y, std::size_t terms) {
    // Normal equations, by Gauss and Jordan; a little ridge keeps constants out.
    double a[3][4] = {};
    const double n = static_cast<double>(y.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      for (std::size_t r = 0; r < terms; ++r) {
        for (std::size_t c = 0; c < terms; ++c) a[r][c] += x[i][r] * x[i][c];
        a[r][3] += x[i][r] * y[i];
      }
    }
    for (std::size_t r = 1; r < terms; ++r) a[r][r] += 1e-9 * n + 1e-12;
    for (std::size_t p = 0; p < terms; ++p) {
      if (!(std::fabs(a[p][p]) > 1e-12 * n)) return;
      for (std::size_t r = 0; r < terms; ++r) {
        if (r == p) continue;
        const double share = a[r][p] / a[p][p];
        for (std::size_t c = p; c < 4; ++c) a[r][c] -= share * a[p][c];
      }
    }
    for (std::size_t r = 0; r < terms; ++r) weights[r] = a[r][3] / a[r][r];
    for (std::size_t i = 0; i < y.size(); ++i) {
      double miss = y[i];
      for (std::size_t r = 0; r < terms; ++r) miss -= weights[r] * x[i][r];
      variance += miss * miss;
    }
    variance /= std::max(1.0, n - static_cast<double>(terms));
    solved = true;
  }
};

}  // namespace detail

/// The least-squares update of one LLM from validation prompts: qualities, predicted qualities and scores of the same
/// prompts; entries with a missing quality or score are left out. A score that explains no more than chance (F below 4,
/// about the 5% point) tells nothing, and nor do fewer than 8 entries: the prediction then stays. Deviations are at
/// least .05, for a few prompts that all went well are no certainty. Throws std::invalid_argument for sizes.
inline belief_update fit_belief_update(std::span<const double> qualities, std::span<const double> predicted,
                                       std::span<const double> scores) {
  detail::require(qualities.size() == predicted.size() && qualities.size() == scores.size(),
                  "fit_belief_update: qualities, predicted and scores have ", qualities.size(), ", ", predicted.size(),
                  " and ", scores.size(), " entries, but must have as many");
  std::vector<std::array<double, 3>> x;
  std::vector<double> y;
  for (std::size_t i = 0; i < qualities.size(); ++i) {
    if (is_missing(qualities[i]) || is_missing(scores[i])) continue;
    x.push_back({1, predicted[i], scores[i]});
    y.push_back(qualities[i]);
  }
  constexpr double least = 0.05;
  belief_update out;
  const double n = static_cast<double>(y.size());
  if (y.size() < 3) return out;
  const detail::small_regression before(x, y, 2), after(x, y, 3);
  out.deviation_before = out.deviation_after = before.solved ? std::max(least, std::sqrt(before.variance)) : 0.5;
  if (y.size() < 8 || !before.solved || !after.solved) return out;
  const double explained = before.variance * (n - 2) - after.variance * (n - 3);
  if (!(explained > 4 * after.variance)) return out;
  out.intercept = after.weights[0];
  out.prior_weight = after.weights[1];
  out.slope = after.weights[2];
  out.deviation_after = std::min(out.deviation_before, std::max(least, std::sqrt(after.variance)));
  return out;
}

/// What `cascade_routing` weighs.
struct cascade_routing_options {
  double lambda = 0;                      ///< price of a unit of cost
  std::vector<double> step_lambdas = {};  ///< other prices for the first, second, … step (the last one stays); or none
  std::vector<belief_update> updates = {};  ///< one for each LLM
  std::size_t deepest = 0;                  ///< most LLMs that are asked; 0: all. 1: routing
  bool in_order = false;                    ///< only prefixes of the LLMs as they are numbered: a cascade
  /// E[max] over the qualities themselves, as the paper has it, in place of what answers' scores could tell of them.
  bool as_published = false;
};

/// Cascade routing (Dekoninck et al., 2410.10347): with S the LLMs asked so far, the superset T of S that is best in
/// E[max over T of the believed quality] − λ Σ_{T} cost; if T is S stop, else ask the cheapest LLM of T that was not
/// asked. The answer kept is the one that is believed best. Depth 1 is routing: argmin predicted loss + λ cost.
/// `in_order` is a cascade whose stop is optimal in the same sense.
///
/// What is believed once T has been asked are the means given the scores: of an answer that was scored it is known, of
/// one that was not it is normal around the prediction with variance σ²_before − σ²_after, what a score would tell. The
/// paper takes E[max] of the qualities themselves (`as_published`), as if the best answer could be picked whoever
/// judges: with a judge that knows nothing it asks for answers that it cannot tell apart, and falls behind routing.
/// E[max] by the trapezoid rule over 49 points of Π Φ; sets one LLM at a time, so that a step costs O(49 · 2^M). At
/// most 12 LLMs.
class cascade_routing {
 public:
  static constexpr std::size_t most_models = 12;

  /// Throws std::invalid_argument for prices, more than 12 LLMs or none, and deviations below 0.
  explicit cascade_routing(cascade_routing_options options) : options_(std::move(options)) {
    const auto price = [](double lambda) {
      detail::require(lambda >= 0 && std::isfinite(lambda), "cascade_routing: lambda is ", lambda,
                      ", but must be finite and at least 0");
    };
    price(options_.lambda);
    for (const double lambda : options_.step_lambdas) price(lambda);
    detail::require(!options_.updates.empty() && options_.updates.size() <= most_models,
                    "cascade_routing: updates has ", options_.updates.size(), " LLMs, but must have from 1 to ",
                    most_models, " (a pool of more: choose the ones that are worth a call)");
    for (const auto& u : options_.updates)
      detail::require(u.deviation_before >= 0 && u.deviation_after >= 0 && std::isfinite(u.deviation_before) &&
                          std::isfinite(u.deviation_after),
                      "cascade_routing: a deviation is ", u.deviation_before, " before and ", u.deviation_after,
                      " after the answer, but must be finite and at least 0");
  }

  /// What is believed of each LLM now, and how far that could still move. `v.predicted_losses` must be there.
  std::vector<quality_belief> beliefs(const ladder_view& v) const {
    std::vector<quality_belief> out;
    for (std::size_t h = 0; h < options_.updates.size(); ++h) {
      const auto& u = options_.updates[h];
      const double before = 1 - v.predicted_losses[h], score = v.scores[h];
      const bool asked = std::find(v.asked.begin(), v.asked.end(), h) != v.asked.end();
      const double told = u.deviation_before * u.deviation_before - u.deviation_after * u.deviation_after;
      const double deviation = options_.as_published ? (asked ? u.deviation_after : u.deviation_before)
                               : asked               ? 0
                                                     : std::sqrt(std::max(0.0, told));
      // An answer that nobody could judge is no worse and no better than before.
      const bool scored = asked && !is_missing(score);
      out.push_back({scored ? u.intercept + u.prior_weight * before + u.slope * score : before, deviation});
    }
    return out;
  }

  std::optional<std::uint32_t> next(const ladder_view& v) const {
    const std::size_t m = options_.updates.size(), step = v.asked.size();
    detail::require(v.predicted_losses.size() == m && v.costs.size() == m, "cascade_routing: there are ",
                    v.predicted_losses.size(), " predictions and ", v.costs.size(),
                    " costs, but must be one for each LLM, ", m);
    const std::size_t deepest = options_.deepest == 0 ? m : std::min(m, options_.deepest);
    if (step >= deepest) return std::nullopt;
    double lambda = options_.lambda;
    if (!options_.step_lambdas.empty())
      lambda = options_.step_lambdas[std::min(step, options_.step_lambdas.size() - 1)];
    std::uint32_t done = 0;
    for (const std::uint32_t h : v.asked) done |= 1U << h;
    const auto best = best_set(beliefs(v), v.costs, lambda, done, deepest);
    const std::uint32_t left = best & ~done;
    if (left == 0) return std::nullopt;
    std::uint32_t out = static_cast<std::uint32_t>(std::countr_zero(left));
    if (options_.in_order) return out;
    for (std::uint32_t h = out + 1; h < m; ++h) {
      if ((left >> h & 1U) != 0 && v.costs[h] < v.costs[out]) out = h;
    }
    return out;
  }

  std::uint32_t keep(const ladder_view& v) const {
    const auto of = beliefs(v);
    std::uint32_t best = v.asked[0];
    for (const std::uint32_t h : v.asked) {
      if (of[h].mean > of[best].mean) best = h;
    }
    return best;
  }

  const cascade_routing_options& options() const noexcept { return options_; }

  /// E[max of independent normals]: 1 LLM exactly its mean, else by the trapezoid rule.
  static double expected_best(std::span<const quality_belief> of) {
    detail::require(!of.empty(), "cascade_routing::expected_best: there are 0 beliefs, but must be at least 1");
    const grid points(of);
    std::array<double, grid_points> product;
    product.fill(1);
    for (const auto& b : of) {
      for (std::size_t g = 0; g < grid_points; ++g) product[g] *= points.below(b, g);
    }
    return points.mean(product);
  }

 private:
  static constexpr std::size_t grid_points = 49;

  /// Values between which the mass of all beliefs lies, to 5 deviations and a step; E max = high − ∫ Π Φ.
  struct grid {
    double low = std::numeric_limits<double>::infinity(), high = -low, step = 0;
    explicit grid(std::span<const quality_belief> of) {
      for (const auto& b : of) {
        low = std::min(low, b.mean - 5 * b.deviation);
        high = std::max(high, b.mean + 5 * b.deviation);
      }
      // Room for laws that are widened: 3 deviations of .6 steps.
      step = (high - low) / static_cast<double>(grid_points - 5);
      low -= 2 * step;
      high += 2 * step;
    }
    /// P[quality <= the g-th value]. A law that is narrower than the grid is widened to it: its mean stays.
    double below(const quality_belief& b, std::size_t g) const {
      const double deviation = std::max(b.deviation, 0.6 * step);
      if (!(deviation > 0)) return 1;
      const double x = low + static_cast<double>(g) * step - b.mean;
      return std::erfc(-x / deviation / std::numbers::sqrt2) / 2;
    }
    double mean(const std::array<double, grid_points>& product) const {
      double sum = (product.front() + product.back()) / 2;
      for (std::size_t g = 1; g + 1 < grid_points; ++g) sum += product[g];
      return high - sum * step;
    }
  };

  /// The superset of `done`, of at most `deepest` LLMs, that is best; ties to the fewer LLMs, then to the lower number.
  std::uint32_t best_set(const std::vector<quality_belief>& of, std::span<const double> costs, double lambda,
                         std::uint32_t done, std::size_t deepest) const {
    const std::size_t m = of.size();
    const grid points(of);
    std::vector<std::array<double, grid_points>> below(m);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t g = 0; g < grid_points; ++g) below[h][g] = points.below(of[h], g);
    }
    std::array<double, grid_points> product;
    product.fill(1);
    for (std::size_t h = 0; h < m; ++h) {
      if ((done >> h & 1U) == 0) continue;
      for (std::size_t g = 0; g < grid_points; ++g) product[g] *= below[h][g];
    }
    std::uint32_t best = done;
    double most = done == 0 ? -std::numeric_limits<double>::infinity() : value_of(of, done, product, points);
    // Sets in depth-first order: each is its parent with one LLM of a higher number more.
    struct frame {
      std::uint32_t set;
      std::size_t from;
      double cost;
      std::array<double, grid_points> product;
    };
    std::vector<frame> open{{done, 0, 0, product}};
    while (!open.empty()) {
      const frame at = std::move(open.back());
      open.pop_back();
      if (static_cast<std::size_t>(std::popcount(at.set)) >= deepest) continue;
      for (std::size_t h = at.from; h < m; ++h) {
        if ((at.set >> h & 1U) != 0) continue;
        frame child{at.set | (1U << h), h + 1, at.cost + lambda * costs[h], at.product};
        for (std::size_t g = 0; g < grid_points; ++g) child.product[g] *= below[h][g];
        const double value = value_of(of, child.set, child.product, points) - child.cost;
        if (value > most || (value == most && best != done && fewer(child.set, best))) {
          most = value;
          best = child.set;
        }
        open.push_back(std::move(child));
        if (options_.in_order) break;  // only the next one may follow
      }
    }
    return best;
  }

  static bool fewer(std::uint32_t a, std::uint32_t b) {
    const int left = std::popcount(a), right = std::popcount(b);
    return left < right || (left == right && a < b);
  }
  static double value_of(const std::vector<quality_belief>& of, std::uint32_t set,
                         const std::array<double, grid_points>& product, const grid& points) {
    // One LLM: exactly, so that routing is what a Lagrangian rule does.
    if (std::has_single_bit(set)) return of[static_cast<std::size_t>(std::countr_zero(set))].mean;
    return points.mean(product);
  }

  cascade_routing_options options_;
};

static_assert(ladder<cascade_routing>);

}  // namespace uniroute
