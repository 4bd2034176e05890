#pragma once

// Per cell: by how much another LLM may be better than the router's, from differences on the same prompts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_shares.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <vector>

namespace uniroute {

/// What `certify_paired` knows of costs, and of the cells' shares.
struct certify_paired_options {
  std::optional<double> lambda = {};        ///< the price in J = ℓ + λ c; not given: the rule's own
  std::optional<double> largest_cost = {};  ///< of any prompt on any LLM; must be declared where λ is above 0
  /// Prompts of each cell in a larger, unlabelled sample of the same law (the labelled ones may be among them); empty:
  /// the labelled ones are counted. More of them make the shares' intervals narrow.
  std::vector<double> cell_counts = {};
  std::vector<double> cell_shares = {};  ///< p_k where they are known: nothing of δ is spent on them
  double share_part = 0.1;               ///< of δ, for shares that are estimated
};

/// Where the shares of cells came from.
enum class share_source { known, unlabelled, sample };

/// With probability `level`, all at once: in every cell k the router's LLM is at most `gaps[k]` worse than the best
/// one, E[J_r − min_h J_h | k], and Σ_k p_k gap_k <= `bound`.
struct paired_certificate {
  double bound = 0;
  double level = 0;
  double lambda = 0;
  std::size_t prompts = 0;
  std::vector<std::uint32_t> choices;  ///< of each cell, as in models()
  std::vector<std::uint32_t> rivals;   ///< the LLM that may be better by the most; the choice itself where none may
  std::vector<double> gaps;            ///< at least 0, at most 1 + λ · largest cost
  std::vector<std::size_t> sizes;      ///< labelled prompts of each cell
  std::vector<interval> shares;        ///< of p_k
  share_source shares_from = share_source::sample;
};

/// Multiple comparisons with the best (Hsu 1984), in each cell of a router with hard cells: the best LLM h* of a cell
/// is unknown but fixed, so that "ℓ_r − ℓ_h* is below its one-sided bound" is M − 1 statements, one for each r that
/// might have been chosen, and holds for the one that was chosen, on these rows or others; the bound is the largest
/// over h. Differences are paired by prompt: prompts that both LLMs solve, or both fail, cost nothing. No union over
/// the M (M − 1) pairs, and none over the 2 K M ends of intervals that `certify` pays. A missing outcome counts against
/// the router. For the price that is named. The sample is one that the cells were not fitted on; the enrolment sample
/// will do. `certify_against` is tighter for the sum; take this to know in which cell, and by which LLM, there is
/// something to be gained. O(n M) values in intervals of kind Interval. Throws as `certify_against_own_cells`, and
/// std::invalid_argument for shares or counts that are not one for each cell.
template <class Interval = betting, class Router, class Loss>
paired_certificate certify_paired(const Router& router, const basic_routing_table<Loss>& sample, confidence_level level,
                                  const certify_paired_options& options = {}) {
  constexpr auto where = "certify_paired";
  static_assert(interval_for<Interval, bounded_loss> && finite_sample_guarantee<Interval>,
                "certify_paired: Interval must hold for bounded losses at every sample size (betting, "
                "empirical_bernstein, hoeffding): a difference of losses has three values or more");
  detail::require(options.share_part > 0 && options.share_part < 1, where, ": share_part is ", options.share_part,
                  ", but must be between 0 and 1");
  const auto s = detail::sample_of_own_cells(where, router, sample,
                                             {.lambda = options.lambda, .largest_cost = options.largest_cost});
  const auto& of = s.gathered;
  const std::size_t cells = s.chosen.size(), m = router.size(), n = of.choices.size();
  paired_certificate out;
  out.level = level.value();
  out.lambda = of.lambda;
  out.prompts = n;
  out.choices = s.chosen;
  out.sizes.assign(cells, 0);
  std::vector<std::vector<std::size_t>> members(cells);
  for (std::size_t i = 0; i < n; ++i) members[s.labels[i]].push_back(i);
  std::vector<double> counted(cells);
  for (std::size_t k = 0; k < cells; ++k) counted[k] = static_cast<double>(out.sizes[k] = members[k].size());

  const bool known = !options.cell_shares.empty(), more = !options.cell_counts.empty();
  const double delta = level.delta(), for_shares = known || cells == 1 ? 0 : delta * options.share_part;
  if (known) {
    out.shares_from = share_source::known;
    out.shares = known_shares(options.cell_shares);
  } else {
    out.shares_from = more ? share_source::unlabelled : share_source::sample;
    out.shares = cells == 1
                     ? std::vector<interval>{{1, 1}}
                     : estimated_shares(more ? std::span<const double>(options.cell_counts) : counted, for_shares);
  }
  detail::check_shares(where, out.shares, cells);

  const double rivals = static_cast<double>(std::max<std::size_t>(1, m - 1));
  const double each = (delta - for_shares) / (static_cast<double>(cells) * rivals);
  std::vector<double> values;
  for (std::size_t k = 0; k < cells; ++k) {
    out.gaps.push_back(0);
    out.rivals.push_back(out.choices[k]);
    for (std::size_t h = 0; h < m; ++h) {
      if (h == out.choices[k]) continue;
      values.clear();
      for (const std::size_t i : members[k]) values.push_back(of.difference(i, h));
      const double most = values.empty() ? of.range : upper_bound_of<Interval>(values, -of.range, of.range, each);
      if (most <= out.gaps[k]) continue;
      out.gaps[k] = most;
      out.rivals[k] = static_cast<std::uint32_t>(h);
    }
  }
  out.bound = detail::largest_mean(out.shares, out.gaps);
  return out;
}

}  // namespace uniroute
