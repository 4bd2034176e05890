#pragma once

// Labels that other systems learn from, for `relabelled`.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <vector>

namespace uniroute {

namespace detail {

/// LLM indices by cost, the cheapest first. Throws std::invalid_argument for a size that differs.
inline std::vector<std::size_t> weakest_first(std::string_view where, std::span<const double> costs,
                                              std::size_t models) {
  require(costs.size() == models, where, ": costs has ", costs.size(), " entries, but must have one for each LLM, ",
          models);
  std::vector<std::size_t> order(models);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return costs[a] < costs[b]; });
  return order;
}

}  // namespace detail

/// The weakest capable LLM as labels (SQL routing, 2411.04319, section 3.2): the loss of LLM h on a prompt is the least
/// of all LLMs that cost no more than h, so that 1 − label is "the weakest capable LLM is at most as strong as h". What
/// was not run is left out; a label is missing only where nothing at or below h was run. `costs`: one number each.
inline loss_matrix weakest_capable_labels(const loss_matrix& outcomes, std::span<const double> costs) {
  const auto order = detail::weakest_first("weakest_capable_labels", costs, columns(outcomes));
  loss_matrix out = outcomes;
  for (std::size_t i = 0; i < rows(out); ++i) {
    double least = missing;
    for (const std::size_t h : order) {
      if (!is_missing(outcomes(i, h)) && !(least <= outcomes(i, h))) least = outcomes(i, h);
      out(i, h) = least;
    }
  }
  return out;
}

/// Outcomes as a cascade leaves them: an LLM is not run where a weaker one has succeeded (a loss of at most 1 −
/// `good`). Those outcomes are *censored*, a kind of missing; reading them as failures makes strong LLMs look weak.
inline loss_matrix censored_outcomes(const loss_matrix& outcomes, std::span<const double> costs, double good = 1) {
  const auto order = detail::weakest_first("censored_outcomes", costs, columns(outcomes));
  loss_matrix out = outcomes;
  for (std::size_t i = 0; i < rows(out); ++i) {
    bool done = false;
    for (const std::size_t h : order) {
      const double loss = outcomes(i, h);
      if (done) out(i, h) = missing;
      done = done || (!is_missing(loss) && loss <= 1 - good);
    }
  }
  return out;
}

}  // namespace uniroute
