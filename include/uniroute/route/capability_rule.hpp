#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Which LLM `capability_rule` asks where none is capable.
enum class capability_fallback : std::uint8_t {
  most_capable,  ///< the one of least predicted loss
  dearest,
  cheapest
};

/// Options of `capability_rule`.
struct capability_rule_options {
  std::vector<double> thresholds = {0.5};  ///< on predicted quality, in [0, 1]: one for all LLMs, or one each
  capability_fallback fallback = capability_fallback::most_capable;
};

/// The cheapest LLM that is capable: whose predicted quality, 1 − loss, is at least its threshold (SQL routing,
/// 2411.04319, section 3). LLMs may cost nothing. One threshold serves pools that LLMs join; one each is for a pool
/// that stays
/// (`fit_capability_thresholds`). Ties of cost go to the higher quality, then to the lower index.
class capability_rule {
 public:
  /// Throws std::invalid_argument for no threshold or one outside [0, 1].
  explicit capability_rule(capability_rule_options options = {}) : options_(std::move(options)) { check(); }

  /// Throws std::invalid_argument for thresholds that are neither one nor one for each LLM.
  std::size_t choose(const candidates<>& c) const {
    const std::size_t m = c.losses.size();
    const auto& thresholds = options_.thresholds;
    detail::require(thresholds.size() == 1 || thresholds.size() == m, "capability_rule: thresholds has ",
                    thresholds.size(), " entries, but must have one, or one for each LLM, ", m);
    const auto better = [&](std::size_t a, std::size_t b) {  // cheaper, then less loss
      return c.costs[a] < c.costs[b] || (c.costs[a] == c.costs[b] && c.losses[a] < c.losses[b]);
    };
    std::size_t best = m;
    for (std::size_t h = 0; h < m; ++h) {
      const double least = thresholds.size() == 1 ? thresholds[0] : thresholds[h];
      // Not 1 - loss: a quality of exactly the threshold is capable, however it rounds.
      if (c.losses[h] <= 1 - least && (best == m || better(h, best))) best = h;
    }
    if (best != m) return best;
    best = 0;
    for (std::size_t h = 1; h < m; ++h) {
      const bool takes =
          options_.fallback == capability_fallback::cheapest ? better(h, best)
          : options_.fallback == capability_fallback::dearest
              ? c.costs[h] > c.costs[best]
              : c.losses[h] < c.losses[best] || (c.losses[h] == c.losses[best] && c.costs[h] < c.costs[best]);
      if (takes) best = h;
    }
    return best;
  }

  /// What an experiment sweeps: one threshold for all, from 1 down to 0, at quantiles of the predicted qualities.
  std::vector<std::pair<double, capability_rule>> along(const loss_matrix& losses, const cost_matrix&) const {
    std::vector<double> at{0, 1};
    std::vector<double> all(losses.begin(), losses.end());
    std::sort(all.begin(), all.end());
    for (std::size_t q = 1; q < 60 && !all.empty(); ++q)
      at.push_back(std::clamp(1 - all[q * (all.size() - 1) / 60], 0.0, 1.0));
    std::sort(at.begin(), at.end(), std::greater<>());
    at.erase(std::unique(at.begin(), at.end()), at.end());
    std::vector<std::pair<double, capability_rule>> out;
    for (const double threshold : at)
      out.emplace_back(threshold, capability_rule({.thresholds = {threshold}, .fallback = options_.fallback}));
    return out;
  }

  state save() const {
    state out;
    out.set("thresholds", options_.thresholds);
    out.set("fallback", static_cast<std::uint64_t>(options_.fallback));
    return out;
  }
  /// Throws std::invalid_argument for what no rule can have saved.
  void load(const state& s) {
    capability_rule_options options;
    options.thresholds = s.get<std::vector<double>>("thresholds");
    const auto fallback = s.get<std::uint64_t>("fallback");
    detail::require(fallback <= 2, "capability_rule::load: fallback is ", fallback, ", but must be 0, 1 or 2");
    options.fallback = static_cast<capability_fallback>(fallback);
    *this = capability_rule(std::move(options));
  }
  const capability_rule_options& options() const noexcept { return options_; }

 private:
  void check() const {
    detail::require(!options_.thresholds.empty(),
                    "capability_rule: thresholds has 0 entries, but must have at least 1");
    for (const double t : options_.thresholds)
      detail::require(t >= 0 && t <= 1, "capability_rule: a threshold is ", t, ", but must be in [0, 1]");
  }

  capability_rule_options options_;
};

static_assert(routing_rule<capability_rule>);

/// A threshold for each LLM of a pool that stays: the least mean of loss + λ cost on a sample (n x M predicted losses,
/// outcomes and costs), by going over the LLMs, each time taking the best of a grid of thresholds with the others as
/// they are, until nothing changes (2411.04319 searches a grid). The sample should not be what the predictor was fitted
/// on. A missing outcome of a choice counts as 1. O(rounds · M · grid · n M). Throws std::invalid_argument for shapes,
/// a grid of fewer than 2 steps and a negative λ.
inline capability_rule fit_capability_thresholds(const loss_matrix& predicted, const loss_matrix& losses,
                                                 const cost_matrix& costs, double lambda, std::size_t grid = 20,
                                                 capability_fallback fallback = capability_fallback::most_capable) {
  constexpr auto where = "fit_capability_thresholds";
  const std::size_t n = rows(predicted), m = columns(predicted);
  detail::require(n != 0 && m != 0 && losses.shape() == predicted.shape() && costs.shape() == predicted.shape(), where,
                  ": predicted is ", n, " x ", m, ", losses ", rows(losses), " x ", columns(losses), " and costs ",
                  rows(costs), " x ", columns(costs), ", but must have one shape, at least 1 x 1");
  detail::require(grid >= 2, where, ": grid is ", grid, ", but must be at least 2");
  detail::require(lambda >= 0, where, ": lambda is ", lambda, ", but must be at least 0");
  const auto objective = [&](const capability_rule& rule) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t h = rule.choose({row(predicted, i), row(costs, i)});
      sum += (is_missing(losses(i, h)) ? 1 : losses(i, h)) + lambda * costs(i, h);
    }
    return sum / static_cast<double>(n);
  };
  capability_rule_options best{std::vector<double>(m, 0.5), fallback};
  double least = objective(capability_rule(best));
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t g = 0; g <= grid; ++g) {
        auto tried = best;
        tried.thresholds[h] = static_cast<double>(g) / static_cast<double>(grid);
        const double now = objective(capability_rule(tried));
        if (now >= least - 1e-12) continue;
        least = now;
        best = std::move(tried);
        moved = true;
      }
    }
  }
  return capability_rule(std::move(best));
}

}  // namespace uniroute
