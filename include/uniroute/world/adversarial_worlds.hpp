#pragma once

// Worlds that make bounds tight, and the two that refute the published one (docs/theory.md has the computations).

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/world/discrete_world.hpp>
#include <uniroute/world/random_worlds.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A discrete world and a map of its types. Where an answer depends on the cell that a prompt is drawn into as well as
/// on the prompt, `given_cell` has P[error | x, z = k] for each k, and γ* = Σ_k Φ_k given_cell[k]; else it is empty.
struct mapped_world {
  discrete_world world;
  membership_matrix memberships;             ///< Φ, T x K
  std::vector<loss_matrix> given_cell = {};  ///< K of T x M, or none
};

/// The prompts of `soft_counterexample`, and what LLMs lose on them.
struct soft_counterexample_options {
  double lean = 0.01;      ///< d: how much a prompt's memberships differ from one half; in (0, 1/2)
  double advantage = 0.1;  ///< t: by how much LLMs differ, in (0, 1/4]
  double tilt = 1e-9;      ///< the infinitesimal that unties Ψ*
};

namespace detail {
inline void check_counterexample(const soft_counterexample_options& o) {
  require(o.lean > 0 && o.lean < 0.5 && o.advantage > 0 && o.advantage <= 0.25 && o.tilt > 0,
          "soft_counterexample: ", "lean, advantage and tilt are ", o.lean, ", ", o.advantage, " and ", o.tilt,
          ", but must be in (0, 1/2), (0, 1/4] and above 0");
}
}  // namespace detail

/// Counterexample (a): two prompts a, b, P(z = 1 | a) = ½ + d, P(z = 1 | b) = ½ − d, two LLMs of equal cost,
/// Δ_k(a, 1) = t, Δ_k(a, 2) = −t, Δ_k(b, ·) fixed by mean zero in each cell, Ψ* tied but for `tilt`, which makes
/// argmin Φᵀ Ψ* take the wrong LLM at both. Regret 2t; E max |Δ| tends to t as d falls.
inline mapped_world soft_counterexample(const soft_counterexample_options& o = {}) {
  detail::check_counterexample(o);
  const double d = o.lean, t = o.advantage;
  detail::require(t * (0.5 + d) / (0.5 - d) + o.tilt <= 0.5,
                  "soft_counterexample: advantage (1/2 + lean) / (1/2 - lean) is ", t * (0.5 + d) / (0.5 - d),
                  ", but must be at most 1/2, or losses would leave [0, 1]");
  membership_matrix phi = make_matrix<double>(2, 2);
  phi(0, 0) = phi(1, 1) = 0.5 + d;
  phi(0, 1) = phi(1, 0) = 0.5 - d;
  std::vector<loss_matrix> given;
  auto gamma = make_matrix<double>(2, 2, 0.0);
  for (std::size_t k = 0; k < 2; ++k) {
    auto losses = make_matrix<double>(2, 2);
    for (std::size_t h = 0; h < 2; ++h) {
      const double sign = h == 0 ? 1 : -1;
      // Ψ*_1 favours LLM 1 by the tilt and Ψ*_2 LLM 2: a leans to cell 1, b to cell 2.
      const double psi = 0.5 - (k == 0 ? 1 : -1) * sign * o.tilt;
      losses(0, h) = psi + sign * t;
      losses(1, h) = psi - sign * t * phi(0, k) / phi(1, k);
      for (std::size_t x = 0; x < 2; ++x) gamma(x, h) += phi(x, k) * losses(x, h);
    }
    given.push_back(std::move(losses));
  }
  return {discrete_world({{0.5, 0.5}, std::move(gamma)}), std::move(phi), std::move(given)};
}

/// The same without any dependence on the drawn cell, so that Ψ* is what weighted cell means converge to: two rare
/// prompts of full membership, each one half times 4dt(1 + tilt) / (1 + 4dt) likely, tilt Ψ* against a and b.
/// Regret tends to 2t and E max |Δ| to t as d falls: the factor 2 is needed for this class, too.
inline mapped_world soft_means_counterexample(const soft_counterexample_options& o = {}) {
  detail::check_counterexample(o);
  const double d = o.lean, t = o.advantage;
  const double rare = 4 * d * t * (1 + o.tilt) / (1 + 4 * d * t);
  membership_matrix phi = make_matrix<double>(4, 2, 0.0);
  phi(0, 0) = phi(1, 1) = 0.5 + d;
  phi(0, 1) = phi(1, 0) = 0.5 - d;
  phi(2, 0) = phi(3, 1) = 1;
  auto gamma = make_matrix<double>(4, 2);
  for (std::size_t h = 0; h < 2; ++h) {
    const double sign = h == 0 ? 1 : -1;
    gamma(0, h) = 0.5 + sign * t;
    gamma(1, h) = 0.5 - sign * t;
    gamma(2, h) = 0.5 - sign * 0.5;
    gamma(3, h) = 0.5 + sign * 0.5;
  }
  return {discrete_world({{(1 - rare) / 2, (1 - rare) / 2, rare / 2, rare / 2}, std::move(gamma)}), std::move(phi)};
}

/// The LLMs of `hard_counterexample`, and what they are good at.
struct hard_counterexample_options {
  std::size_t specialists = 2;  ///< LLMs that are perfect on a slice of their own
  double slice = 0.1;           ///< probability of each slice; specialists · slice <= 1
  double tilt = 1e-12;          ///< by which the LLM that is the same everywhere is better on the mean
};

/// Counterexample (b): one cell; LLM 1 fails half the time everywhere, each other LLM never on its slice and, so that
/// its mean is one half, a little more often elsewhere. Regret specialists · slice / 2, which E max (−Δ) equals, while
/// the published E max Δ stays at slice / (2 − 2 slice) however many specialists there are.
inline mapped_world hard_counterexample(const hard_counterexample_options& o = {}) {
  const double all = static_cast<double>(o.specialists) * o.slice;
  detail::require(o.specialists >= 2 && o.slice > 0 && o.slice <= 0.5 && all <= 1 + 1e-12,
                  "hard_counterexample: ", "specialists and slice are ", o.specialists, " and ", o.slice,
                  ", but must be at least 2, in (0, 1/2], and of product at most 1");
  const std::size_t m = o.specialists + 1;
  auto gamma = make_matrix<double>(m, m, 0.5 / (1 - o.slice));
  std::vector<double> p{std::max(0.0, 1 - all)};  // type 0 belongs to nobody
  for (std::size_t x = 0; x < m; ++x) gamma(x, 0) = 0.5 - o.tilt;
  for (std::size_t h = 1; h < m; ++h) {
    gamma(h, h) = 0;
    p.push_back(o.slice);
  }
  return {discrete_world({std::move(p), std::move(gamma)}), make_matrix<double>(m, 1, 1.0)};
}

/// Where estimation is hardest: homogeneous cells of equal probability in which one LLM fails with probability ½ − gap,
/// the others with ½. With gap ~ (M log M · K / n)^½ no rule tells them apart, and regret falls as n^−½.
/// Throws std::invalid_argument for zero counts and a gap outside [0, 1/2].
inline celled_world near_ties(std::size_t cells, std::size_t models, double gap) {
  detail::require(cells != 0 && models != 0 && gap >= 0 && gap <= 0.5, "near_ties: cells, models and gap are ", cells,
                  ", ", models, " and ", gap, ", but must be at least 1, at least 1 and in [0, 1/2]");
  discrete_world_parts parts;
  parts.probabilities.assign(cells, 1 / static_cast<double>(cells));
  parts.expected_losses = make_matrix<double>(cells, models, 0.5);
  label_vector labels(cells);
  for (std::size_t k = 0; k < cells; ++k) {
    labels[k] = static_cast<std::uint32_t>(k);
    parts.expected_losses(k, models - 1 - k % models) = 0.5 - gap;
  }
  return {discrete_world(std::move(parts)), std::move(labels), cells};
}

}  // namespace uniroute
