#pragma once

// LLMs that are beyond doubt not the best of their cell, by step-down.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/bound/simultaneous.hpp>
#include <uniroute/detail/betting.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/stats/holm.hpp>
#include <vector>

namespace uniroute {

namespace detail {

/// The p-value of "the mean is at most m" for values in [0, 1]: one over the most capital ever won by betting against
/// it (Ville), with the bets made for level delta.
inline double betting_p_value(std::span<const double> values, double m, double delta) {
  const auto bets = plug_in_bets(values, {}, delta);
  const double most = m > 0 ? betting_cut / m : INFINITY;
  double log_capital = 0, best = 0;
  for (std::size_t t = 0; t < values.size(); ++t) {
    log_capital += std::log1p(std::min(bets[t], most) * (values[t] - m));
    best = std::max(best, log_capital);
  }
  return std::exp(-best);
}

}  // namespace detail

/// Which LLMs are worse than their cell's choice: entry (k, h) is 1 if Ψ*_k(h) + λ c(h) > Ψ*_k(r(k)) + λ c(r(k)) is
/// established, for all entries at once with probability at least 1 − delta. Paired by prompt (betting on the
/// difference of losses, which are often equal) and stepped down by Holm, so it eliminates more than intervals that do
/// not overlap; it says nothing of by how much, and gives no widths. A prompt with a missing outcome of either is left
/// out. Only pairs with a difference of cost λ (c(r) − c(h)) in (−1, 1) need testing; beyond, costs decide. O(n M).
/// Throws as `summarise`, and std::invalid_argument for shapes and a delta outside (0, 1).
inline matrix<char> eliminate(const cell_outcomes& o, std::span<const std::uint32_t> choices,
                              std::span<const double> costs, double lambda, double delta) {
  detail::check_outcomes("eliminate", o);
  detail::check_delta("eliminate", delta);
  detail::require(choices.size() == o.cells && costs.size() == o.models(), "eliminate: choices has ", choices.size(),
                  " and costs ", costs.size(), " entries, but must have ", o.cells, " and ", o.models());
  const std::size_t m = o.models();
  std::vector<double> p_values(o.cells * m, 1.0);
  const double part = delta / static_cast<double>(o.cells * std::max<std::size_t>(1, m - 1));
  std::vector<double> differences;
  std::vector<std::vector<std::size_t>> members(o.cells);
  for (std::size_t i = 0; i < o.labels.size(); ++i) members[o.labels[i]].push_back(i);
  for (std::size_t k = 0; k < o.cells; ++k) {
    const std::size_t r = choices[k];
    detail::require(r < m, "eliminate: choices[", k, "] is ", r, ", but must be below ", m);
    for (std::size_t h = 0; h < m; ++h) {
      const double dearer = lambda * (costs[r] - costs[h]);
      if (h == r || dearer >= 1) continue;
      if (dearer < -1) {
        p_values[k * m + h] = 0;
        continue;
      }
      differences.clear();
      for (const std::size_t i : members[k]) {
        const double mine = o.losses(i, o.column(r)), theirs = o.losses(i, o.column(h));
        if (!is_missing(mine) && !is_missing(theirs)) differences.push_back((theirs - mine + 1) / 2);
      }
      p_values[k * m + h] = detail::betting_p_value(differences, (dearer + 1) / 2, part);
    }
  }
  // A choice is no hypothesis: only the others are stepped down.
  std::vector<double> tested;
  for (std::size_t k = 0; k < o.cells; ++k) {
    for (std::size_t h = 0; h < m; ++h) {
      if (h != choices[k]) tested.push_back(p_values[k * m + h]);
    }
  }
  const auto rejected = holm(tested, delta);
  auto out = make_matrix<char>(o.cells, m, 0);
  for (std::size_t k = 0, at = 0; k < o.cells; ++k) {
    for (std::size_t h = 0; h < m; ++h) {
      if (h != choices[k]) out(k, h) = rejected[at++];
    }
  }
  return out;
}

}  // namespace uniroute
