#pragma once

// The excess-risk certificate of hard cells, from intervals: no router needed.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_shares.hpp>
#include <uniroute/bound/simultaneous.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What a certificate bounds.
enum class regret_target {
  best_cell_rule,     ///< regret to the best rule that is constant on the cells, Σ_k p_k [J_k(r(k)) − min_h J_k(h)]
  best_profile_rule,  ///< soft maps: regret, measured by Φ(x)ᵀ Ψ*, to the rule that knows Ψ*
  hindsight,          ///< total regret and more: J(r) − E[min_h (ℓ_h + λ c_h)]
  world               ///< total regret in a world whose γ* is known
};

/// A cell's part in a certificate, and the LLM behind it.
struct contribution {
  std::size_t cell = 0;
  std::size_t model =
      0;              ///< the rival that may be better than the cell's choice by the most; the choice itself if none
  double gap = 0;     ///< by how much it may be better
  double share = 0;   ///< of the cell's prompts in the sample
  double amount = 0;  ///< share · gap
};

/// With probability 1 − δ over the sample, for all pools of these LLMs and all λ at once:
///   Σ_k p_k (Ψ*_k(r(k)) + λ c(r(k)) − min_h (Ψ*_k(h) + λ c(h)))  <=  gap_adaptive  <=  uniform,
/// c(h) known numbers; or, where costs vary by prompt and the largest is declared (`largest_objective` above 0), with
/// E[ℓ_h + λ c_h | k] in place of Ψ*_k(h) + λ c(h): intervals and means are then of ℓ + λ c, for this λ alone. It is
/// the regret of the router to the best rule that is constant on its cells. What a rule could gain by telling prompts
/// of one cell apart is not in it: no sample of single answers shows that (docs/bound.md).
struct certificate {
  double gap_adaptive = 0;  ///< Σ p_k max_{h ≠ r(k)} [U_k(r(k)) − L_k(h) + λ (c(r(k)) − c(h))]₊; nil where beyond doubt
  double uniform = 0;  ///< Σ p_k (max_h (U_k(h) − L_k(h)) + the choice's distance to the best at the middles)
  double estimation = 0;  ///< Σ p_k max_h (U_k(h) − L_k(h)): bounds 2 Σ p_k max_h |ψ − Ψ*| for ψ the intervals' middles
  double level = 0;   ///< 1 − δ
  double lambda = 0;  ///< of the rule
  /// 1 + λ · the declared largest cost, where intervals and means are of ℓ + λ c; 0: they are of ℓ, and costs are known
  double largest_objective = 0;
  regret_target target = regret_target::best_cell_rule;
  bool only_asymptotic = false;                       ///< the level is reached in the limit of large samples only
  std::vector<std::uint32_t> choices;                 ///< r(k), an index into the router's models() per cell
  std::vector<double> costs;                          ///< c(h), M values; estimates where largest_objective is above 0
  std::vector<std::size_t> cell_counts;               ///< prompts per cell
  matrix<double> counts = make_matrix<double>(0, 0);  ///< K x M: observed outcomes
  matrix<double> means = make_matrix<double>(0, 0);   ///< K x M: Σ ℓ / count, .5 where nothing was observed
  matrix<double> lower = make_matrix<double>(0, 0);   ///< K x M: simultaneous intervals for Ψ*_k(h)
  matrix<double> upper = make_matrix<double>(0, 0);
  std::vector<interval> cell_shares;  ///< simultaneous intervals for p_k
  std::vector<contribution> parts;    ///< one per cell, in order of cells
};

/// The parts, the largest amount first: where labels would help most, and of which LLM.
inline std::vector<contribution> contributions(const certificate& c) {
  std::vector<contribution> out = c.parts;
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.amount > b.amount; });
  return out;
}

/// r(k) = argmin_h psi_k(h) + λ c(h) for profiles K x M; ties to the lower cost, then to the lower index.
inline std::vector<std::uint32_t> choose_in_cells(const matrix<double>& psi, std::span<const double> costs,
                                                  double lambda) {
  std::vector<std::uint32_t> out;
  for (std::size_t k = 0; k < rows(psi); ++k)
    out.push_back(static_cast<std::uint32_t>(detail::least_objective(row(psi, k), costs, lambda)));
  return out;
}

/// The certificate of a rule that sends cell k to choices[k], from intervals that hold at once and shares that hold
/// with them. The choices may come from any profile (shrunken, from another sample, drawn by lot): the intervals know
/// nothing of how they were made. O(K M). Fills in everything but level, counts, means and
/// only_asymptotic. Throws
/// std::invalid_argument for shapes, a choice out of range, shares that cannot sum to one, a negative λ;
/// std::domain_error for values.
inline certificate certify_cells(std::span<const std::uint32_t> choices, std::span<const double> costs, double lambda,
                                 interval_box box, std::vector<interval> shares) {
  constexpr auto where = "certify_cells";
  const std::size_t cells = box.cells(), m = box.models();
  detail::require(choices.size() == cells, where, ": choices has ", choices.size(), " entries, but the intervals have ",
                  cells, " cells");
  detail::require(costs.size() == m && m != 0, where, ": costs has ", costs.size(), " entries, but the intervals have ",
                  m, " LLMs (at least 1)");
  detail::require(lambda >= 0 && lambda <= std::numeric_limits<double>::max(), where, ": lambda is ", lambda,
                  ", but must be finite and at least 0");
  for (const double cost : costs) detail::check_cost(where, "a cost", cost);
  for (std::size_t k = 0; k < cells; ++k)
    detail::require(choices[k] < m, where, ": choices[", k, "] is ", choices[k], ", but must be below ", m);
  detail::check_box(where, box);
  detail::check_shares(where, shares, cells);

  certificate out;
  out.lambda = lambda;
  out.choices.assign(choices.begin(), choices.end());
  out.costs.assign(costs.begin(), costs.end());
  std::vector<double> gap(cells, 0.0), width(cells, 0.0), uniform(cells, 0.0);
  for (std::size_t k = 0; k < cells; ++k) {
    const std::size_t r = choices[k];
    std::size_t rival = r;
    // By how much the choice exceeds the least objective at the middles of the intervals (nil if it was made there):
    // what half widths on both sides cannot explain.
    double off = 0;
    const double middle = (box.lower(k, r) + box.upper(k, r)) / 2;
    for (std::size_t h = 0; h < m; ++h) {
      width[k] = std::max(width[k], box.width(k, h));
      const double dearer = lambda * (costs[r] - costs[h]);
      off = std::max(off, middle - (box.lower(k, h) + box.upper(k, h)) / 2 + dearer);
      if (h == r) continue;
      const double g = box.upper(k, r) - box.lower(k, h) + dearer;
      if (g > gap[k]) {
        gap[k] = g;
        rival = h;
      }
    }
    uniform[k] = width[k] + off;
    out.parts.push_back({k, rival, gap[k], 0, 0});
  }
  out.gap_adaptive = detail::largest_mean(shares, gap);
  out.uniform = detail::largest_mean(shares, uniform);
  out.estimation = detail::largest_mean(shares, width);
  for (contribution& part : out.parts) {
    part.share = (shares[part.cell].lower + shares[part.cell].upper) / 2;
    part.amount = part.share * part.gap;
  }
  out.lower = std::move(box.lower);
  out.upper = std::move(box.upper);
  out.cell_shares = std::move(shares);
  return out;
}

/// The same from counts and sums, δ shared between cell means and cell shares (all to the means if the shares are
/// known). Of δ, `share_part` goes to the shares. For worlds and tables without a router.
/// Throws as `certify_cells`, and std::invalid_argument for a delta outside (0, 1).
template <class Interval, class Guarantee = finite_sample>
certificate certify_counts(const cell_sample& sample, std::span<const std::uint32_t> choices,
                           std::span<const double> costs, double lambda, double delta,
                           std::span<const double> known_cell_shares = {}, double share_part = 0.1, Guarantee = {}) {
  static_assert(finite_sample_guarantee<Interval> || std::same_as<Guarantee, asymptotic>,
                "certify_counts: the intervals hold only asymptotically: take finite-sample ones (exact_binomial, "
                "hoeffding), or say so by passing uniroute::asymptotic{} as the last argument");
  static_assert(!sequence_interval<Interval>,
                "certify_counts: Interval needs the losses in their sequence, but counts and sums are given: make the "
                "intervals with bonferroni<Interval>{}.make(outcomes, delta) and call certify_cells");
  detail::check_delta("certify_counts", delta);
  detail::require(share_part > 0 && share_part < 1, "certify_counts: share_part is ", share_part,
                  ", but must be between 0 and 1");
  const bool known = !known_cell_shares.empty();
  double shares_at = delta * share_part;
  if constexpr (requires { requires Interval::any_count; }) {  // shares are looked at as often as means
    const double n = std::accumulate(sample.prompts.begin(), sample.prompts.end(), 0.0);
    shares_at /= n * (n + 1);
  }
  auto shares = known ? known_shares(known_cell_shares) : estimated_shares(sample.prompts, shares_at);
  certificate out =
      certify_cells(choices, costs, lambda,
                    bonferroni<Interval>{}.make(sample, known ? delta : delta * (1 - share_part)), std::move(shares));
  out.level = 1 - delta;
  out.only_asymptotic = !finite_sample_guarantee<Interval>;
  out.counts = sample.counts;
  out.means = cell_means(sample);
  for (const double n : sample.prompts) out.cell_counts.push_back(static_cast<std::size_t>(n));
  return out;
}

}  // namespace uniroute
