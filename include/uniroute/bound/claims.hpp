#pragma once

// Bounds as claims that can be tried: a point of the unit cube names a small world, and truth <= bound is claimed
// there.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/regret/cell_truth.hpp>
#include <uniroute/regret/population.hpp>
#include <uniroute/regret/regret_of.hpp>
#include <uniroute/world/discrete_world.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Both sides of a claimed inequality.
struct claim_value {
  double truth = 0;
  double bound = 0;

  /// What rounding may add to either side: sums of some dozen terms in [0, 1].
  static constexpr double tolerance = 1e-12;

  /// Above 1 exactly where the claim is broken: the truth over the bound and what rounding may add.
  double ratio() const noexcept { return truth <= 0 ? 0 : truth / std::max(bound + tolerance, tolerance); }
  bool broken() const noexcept { return truth > bound + tolerance; }  ///< beyond rounding
};

/// "truth <= bound in every world": `evaluate` gets `dimension` coordinates in [0, 1].
struct claim {
  std::string name;
  std::size_t dimension = 0;
  std::function<claim_value(std::span<const double>)> evaluate;
  bool refuted = false;  ///< known to fail: the published forms, kept to show that the search finds what is there
};

namespace detail {

inline constexpr std::size_t claim_types = 4, claim_models = 3, claim_cells = 2;

/// A world of 4 types, 3 LLMs and 2 cells, read off a point coordinate by coordinate.
struct claim_world {
  population p;
  membership_matrix phi;
  std::vector<loss_matrix> given_cell;  ///< P[error | x, z = k]
  matrix<double> profiles;              ///< some Ψ̂, K x M
  interval_box box;                     ///< around Ψ*
  std::vector<interval> shares;         ///< around p_k
  double lambda = 0;

  /// Coordinates: 4 weights, 8 memberships, 24 losses given the cell, 3 costs, λ, 6 estimates, 12 + 4 interval ends.
  static constexpr std::size_t dimension = 4 + 8 + 24 + 3 + 1 + 6 + 12 + 4;

  claim_world(std::span<const double> point, bool hard) {
    const double* next = point.data();
    double sum = 0;
    for (std::size_t i = 0; i < claim_types; ++i) sum += p.weights.emplace_back(1e-3 + *next++);
    for (double& w : p.weights) w /= sum;
    phi = make_matrix<double>(claim_types, claim_cells, 0.0);
    for (std::size_t i = 0; i < claim_types; ++i) {
      const double a = 1e-9 + *next++, b = 1e-9 + *next++;
      phi(i, 0) = hard ? (a >= b ? 1 : 0) : a / (a + b);
      phi(i, 1) = 1 - phi(i, 0);
    }
    p.expected_losses = make_matrix<double>(claim_types, claim_models, 0.0);
    given_cell.assign(claim_cells, make_matrix<double>(claim_types, claim_models));
    for (std::size_t k = 0; k < claim_cells; ++k) {
      for (std::size_t i = 0; i < claim_types; ++i) {
        for (std::size_t h = 0; h < claim_models; ++h) {
          given_cell[k](i, h) = *next++;
          p.expected_losses(i, h) += phi(i, k) * given_cell[k](i, h);
        }
      }
    }
    p.costs = make_matrix<double>(1, claim_models);
    for (double& cost : p.costs) cost = *next++;
    p.enumerated = true;
    lambda = *next++;
    const cell_truth truth = truth_of(p, phi, given_cell);
    profiles = make_matrix<double>(claim_cells, claim_models);
    for (double& value : profiles) value = *next++;
    box = {truth.profiles, truth.profiles};
    for (double& low : box.lower) low = std::max(0.0, low - *next++);
    for (double& high : box.upper) high = std::min(1.0, high + *next++);
    for (std::size_t k = 0; k < claim_cells; ++k) {
      const double low = *next++, high = *next++;
      const double share = std::min(1.0, truth.shares[k]);
      shares.push_back({std::max(0.0, share - low), std::min(1.0, share + high)});
    }
  }

  cell_truth truth() const { return truth_of(p, phi, given_cell); }
  approximation_terms terms() const { return approximation_of(p, phi, given_cell); }
  double regret(const matrix<double>& psi) const {
    return regret_of(p, std::span<const std::uint32_t>(plug_in_choices(p, phi, psi, lambda)), lambda).regret;
  }
  /// 2 Σ p_k max |Ψ̂ − Ψ*|.
  double estimation() const { return take_apart(p, phi, profiles, lambda, nullptr, given_cell).estimation_bound; }
  certificate certified() const {
    return certify_cells(choose_in_cells(profiles, row(p.costs, 0), lambda), row(p.costs, 0), lambda, box, shares);
  }

  /// Regret of the plug-in rule, measured by Φᵀ Ψ*, to the rule that knows Ψ*; and its gap-adaptive bound.
  claim_value soft_gap() const {
    const auto psi = truth().profiles;
    const auto choices = plug_in_choices(p, phi, profiles, lambda);
    claim_value out;
    for (std::size_t i = 0; i < claim_types; ++i) {
      const std::size_t r = choices[i];
      double excess = 0, gap = 0;
      for (std::size_t h = 0; h < claim_models; ++h) {
        if (h == r) continue;
        const double dearer = lambda * (p.costs(0, r) - p.costs(0, h));
        double true_gap = dearer, seen_gap = dearer;
        for (std::size_t k = 0; k < claim_cells; ++k) {
          true_gap += phi(i, k) * (psi(k, r) - psi(k, h));
          seen_gap += phi(i, k) * (box.upper(k, r) - box.lower(k, h));
        }
        excess = std::max(excess, true_gap);
        gap = std::max(gap, seen_gap);
      }
      out.truth += p.weights[i] * excess;
      out.bound += p.weights[i] * gap;
    }
    return out;
  }

  /// Total regret against J(r) − E min_h (ℓ_h + λ c_h), answers being independent coins given the prompt.
  claim_value hindsight() const {
    const auto choices = plug_in_choices(p, phi, profiles, lambda);
    claim_value out{regret(profiles), 0};
    for (std::size_t i = 0; i < claim_types; ++i) {
      double least = 0;
      for (std::size_t pattern = 0; pattern < (std::size_t{1} << claim_models); ++pattern) {
        double probability = 1, best = 1e9;
        for (std::size_t h = 0; h < claim_models; ++h) {
          const bool wrong = (pattern >> h & 1U) != 0;
          probability *= wrong ? p.expected_losses(i, h) : 1 - p.expected_losses(i, h);
          best = std::min(best, (wrong ? 1 : 0) + lambda * p.costs(0, h));
        }
        least += probability * best;
      }
      out.bound += p.weights[i] * (p.expected_losses(i, choices[i]) + lambda * p.costs(0, choices[i]) - least);
    }
    return out;
  }
};

inline claim make_claim(std::string name, bool hard, std::function<claim_value(const claim_world&)> sides,
                        bool refuted = false) {
  return {std::move(name), claim_world::dimension,
          [hard, sides = std::move(sides)](std::span<const double> point) { return sides(claim_world(point, hard)); },
          refuted};
}

}  // namespace detail

/// Every inequality of docs/theory.md that holds with certainty (those that hold with probability 1 − δ are these, on
/// the event that intervals cover), then the two published forms that do not hold.
inline std::vector<claim> standard_claims() {
  using world = detail::claim_world;
  std::vector<claim> out;
  out.push_back(detail::make_claim("soft: regret <= E[max e - min e]", false, [](const world& w) {
    return claim_value{w.regret(w.truth().profiles), w.terms().range};
  }));
  out.push_back(detail::make_claim("soft: regret <= 2 E max |Delta|", false, [](const world& w) {
    return claim_value{w.regret(w.truth().profiles), w.terms().absolute};
  }));
  out.push_back(detail::make_claim("hard: regret <= E max(-Delta)", true, [](const world& w) {
    return claim_value{w.regret(w.truth().profiles), w.terms().one_sided};
  }));
  out.push_back(
      detail::make_claim("soft: regret of estimates <= range + 2 sum p max |error|", false, [](const world& w) {
        return claim_value{w.regret(w.profiles), w.terms().range + w.estimation()};
      }));
  out.push_back(
      detail::make_claim("hard: regret of estimates <= E max(-Delta) + 2 sum p max |error|", true, [](const world& w) {
        return claim_value{w.regret(w.profiles), w.terms().one_sided + w.estimation()};
      }));
  out.push_back(detail::make_claim("hard: regret to cells <= gap-adaptive certificate", true, [](const world& w) {
    const auto c = w.certified();
    return claim_value{regret_to_cells(w.truth(), c.costs, c.choices, w.lambda), c.gap_adaptive};
  }));
  out.push_back(detail::make_claim("hard: gap-adaptive <= uniform certificate", true, [](const world& w) {
    const auto c = w.certified();
    return claim_value{c.gap_adaptive, c.uniform};
  }));
  out.push_back(detail::make_claim("soft: regret to profiles <= soft gap form", false,
                                   [](const world& w) { return w.soft_gap(); }));
  out.push_back(detail::make_claim("any: regret <= J(r) - E min (loss + lambda cost)", false,
                                   [](const world& w) { return w.hindsight(); }));
  out.push_back(detail::make_claim(
      "published, soft: regret <= E max |Delta|", false,
      [](const world& w) {
        return claim_value{w.regret(w.truth().profiles), w.terms().published_absolute};
      },
      true));
  out.push_back(detail::make_claim(
      "published, hard: regret <= E max Delta", true,
      [](const world& w) {
        return claim_value{w.regret(w.truth().profiles), std::max(0.0, w.terms().published_signed)};
      },
      true));
  return out;
}

}  // namespace uniroute
