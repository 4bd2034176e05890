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
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/stats/detail/betting.hpp>
#include <uniroute/stats/holm.hpp>
#include <vector>

namespace uniroute {

namespace detail {

/// The p-value of "the mean is at most m" for values in [0, 1]: one over the most capital ever won by betting against
/// it (Ville), with the bets made for level delta, in the order that `shuffle_for_bets` draws.
inline double betting_p_value(std::vector<double> values, double m, double delta) {
  std::vector<double> none;
  shuffle_for_bets(values, none, betting_seed);
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

/// Where the choices that `eliminate` compares with come from.
enum class choice_origin {
  this_sample,  ///< they may have been made on the outcomes that are tested: every ordered pair of a cell is a
                ///< hypothesis
  other_sample  ///< they know nothing of these outcomes: M − 1 hypotheses a cell
};

/// Which LLMs are worse than their cell's choice: entry (k, h) is 1 if Ψ*_k(h) + λ c(h) > Ψ*_k(r(k)) + λ c(r(k)) is
/// established, for all entries at once with probability at least 1 − delta. Costs are known numbers (for costs by
/// prompt let the losses be those of ℓ + λ c, scaled into [0, 1], and λ be 0).
///
/// Paired by prompt (betting on the difference of losses, which are often equal) and stepped down by Holm, so it
/// eliminates more than intervals that do not overlap; it says nothing of by how much, and gives no widths. A choice
/// that was made on the sample is the luckiest of several, and is no hypothesis fixed beforehand: Holm then goes over
/// all K·M·(M − 1) ordered pairs, and holds for whichever pairs are looked at (docs/bound.md has what goes wrong
/// without). A prompt with a missing outcome of either is left out. Only pairs with a difference of cost
/// λ (c(r) − c(h)) in (−1, 1) need testing; beyond, costs decide. O(n M²), or O(n M) for choices from another sample.
/// Throws as `summarise`, and std::invalid_argument for shapes and a delta outside (0, 1).
inline matrix<char> eliminate(const cell_outcomes& o, std::span<const std::uint32_t> choices,
                              std::span<const double> costs, double lambda, double delta,
                              choice_origin origin = choice_origin::this_sample) {
  detail::check_outcomes("eliminate", o);
  detail::check_delta("eliminate", delta);
  detail::require(choices.size() == o.cells && costs.size() == o.models(), "eliminate: choices has ", choices.size(),
                  " and costs ", costs.size(), " entries, but must have ", o.cells, " and ", o.models());
  const std::size_t m = o.models();
  for (std::size_t k = 0; k < o.cells; ++k)
    detail::require(choices[k] < m, "eliminate: choices[", k, "] is ", choices[k], ", but must be below ", m);
  const std::size_t rivals = std::max<std::size_t>(1, m - 1);
  const std::size_t pairs = origin == choice_origin::this_sample ? m * rivals : rivals;
  const double part = delta / static_cast<double>(o.cells * pairs);
  std::vector<std::vector<std::size_t>> members(o.cells);
  for (std::size_t i = 0; i < o.labels.size(); ++i) members[o.labels[i]].push_back(i);

  auto out = make_matrix<char>(o.cells, m, 0);
  std::vector<double> p_values, differences;
  std::vector<char*> entries;  // what a rejection sets; none for pairs without the choice
  for (std::size_t k = 0; k < o.cells; ++k) {
    for (std::size_t r = 0; r < m; ++r) {
      const bool chosen = r == choices[k];
      if (!chosen && origin == choice_origin::other_sample) continue;
      for (std::size_t h = 0; h < m; ++h) {
        const double dearer = lambda * (costs[r] - costs[h]);
        if (h == r || dearer >= 1) continue;
        if (dearer < -1) {
          if (chosen) out(k, h) = 1;
          continue;
        }
        differences.clear();
        for (const std::size_t i : members[k]) {
          const double mine = o.losses(i, o.column(r)), theirs = o.losses(i, o.column(h));
          if (!is_missing(mine) && !is_missing(theirs)) differences.push_back((theirs - mine + 1) / 2);
        }
        p_values.push_back(detail::betting_p_value(differences, (dearer + 1) / 2, part));
        entries.push_back(chosen ? &out(k, h) : nullptr);
      }
    }
  }
  const auto rejected = holm(p_values, delta);
  for (std::size_t t = 0; t < entries.size(); ++t) {
    if (entries[t] && rejected[t]) *entries[t] = 1;
  }
  return out;
}

}  // namespace uniroute
