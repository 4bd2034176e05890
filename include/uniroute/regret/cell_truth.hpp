#pragma once

// What a map makes of a world: population profiles Ψ*, the plug-in rule, the terms of the excess-risk bounds, and the
// parts of a router's regret (docs/theory.md).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/map/memberships.hpp>
#include <uniroute/regret/oracle.hpp>
#include <uniroute/regret/population.hpp>
#include <uniroute/regret/regret_of.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <vector>

namespace uniroute {

/// p_k = E Φ_k(x) and Ψ*_k(h) = P[error of h | z = k], z being drawn from Φ(x). A cell of no mass has Ψ* = 1/2.
struct cell_truth {
  std::vector<double> shares;  ///< p_k, K
  matrix<double> profiles;     ///< Ψ*, K x M
};

/// One-hot memberships of labels. Throws std::invalid_argument for a label that is not below `cells`.
inline membership_matrix one_hot(std::span<const std::uint32_t> labels, std::size_t cells) {
  auto out = make_matrix<double>(labels.size(), cells, 0.0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    detail::require(labels[i] < cells, "one_hot: labels[", i, "] is ", labels[i], ", but must be below ", cells);
    out(i, labels[i]) = 1;
  }
  return out;
}

namespace detail {

inline void check_memberships(std::string_view function, const population& p, const membership_matrix& phi) {
  check_population(function, p);
  require(rows(phi) == p.size() && columns(phi) != 0, function, ": memberships is ", rows(phi), " x ", columns(phi),
          ", but must be ", p.size(), " x cells, and cells at least 1");
  for (std::size_t i = 0; i < rows(phi); ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < columns(phi); ++k) {
      require<std::domain_error>(phi(i, k) >= 0, function, ": memberships(", i, ", ", k, ") is ", phi(i, k),
                                 ", but must be at least 0");
      sum += phi(i, k);
    }
    require<std::domain_error>(std::fabs(sum - 1) <= 1e-9, function, ": the sum of row ", i, " of memberships is ", sum,
                               ", but must be 1");
  }
}

/// P[error of h | x_i, z = k]: `given_cell` where answers depend on the drawn cell, else γ*.
inline double error_in_cell(const population& p, std::span<const loss_matrix> given_cell, std::size_t k, std::size_t i,
                            std::size_t h) noexcept {
  return given_cell.empty() ? p.expected_losses(i, h) : given_cell[k](i, h);
}

inline void check_given_cell(std::string_view function, const population& p, const membership_matrix& phi,
                             std::span<const loss_matrix> given_cell) {
  require(given_cell.empty() || given_cell.size() == columns(phi), function, ": given_cell has ", given_cell.size(),
          " entries, but must have 0 or ", columns(phi));
  for (const auto& losses : given_cell)
    require(rows(losses) == p.size() && columns(losses) == p.model_count(), function,
            ": a loss matrix of given_cell is ", rows(losses), " x ", columns(losses), ", but must be ", p.size(),
            " x ", p.model_count());
}

}  // namespace detail

/// Ψ* and p of a map. `given_cell`: P[error | x, z = k] as in mapped_world, or nothing if answers depend on the prompt
/// alone; Ψ* is then what weighted cell means converge to. O(n K M). Throws std::invalid_argument for shapes,
/// std::domain_error for memberships that are not on the simplex.
inline cell_truth truth_of(const population& p, const membership_matrix& phi,
                           std::span<const loss_matrix> given_cell = {}) {
  detail::check_memberships("truth_of", p, phi);
  detail::check_given_cell("truth_of", p, phi, given_cell);
  const std::size_t cells = columns(phi), m = p.model_count();
  cell_truth out{std::vector<double>(cells, 0.0), make_matrix<double>(cells, m, 0.0)};
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (std::size_t k = 0; k < cells; ++k) {
      const double w = p.weights[i] * phi(i, k);
      if (w == 0) continue;
      out.shares[k] += w;
      for (std::size_t h = 0; h < m; ++h) out.profiles(k, h) += w * detail::error_in_cell(p, given_cell, k, i, h);
    }
  }
  for (std::size_t k = 0; k < cells; ++k) {
    out.shares[k] = std::min(out.shares[k], 1.0);  // a sum of weights may round above
    for (std::size_t h = 0; h < m; ++h)
      out.profiles(k, h) = out.shares[k] > 0 ? std::clamp(out.profiles(k, h) / out.shares[k], 0.0, 1.0) : 0.5;
  }
  return out;
}

/// The plug-in rule: argmin_h Φ(x)ᵀ Ψ(h) + λ c(h) with any profiles (K x M); ties to the lower cost, then to the lower
/// index. Throws std::invalid_argument for shapes.
inline std::vector<std::uint32_t> plug_in_choices(const population& p, const membership_matrix& phi,
                                                  const matrix<double>& profiles, double lambda) {
  constexpr auto where = "plug_in_choices";
  detail::check_memberships(where, p, phi);
  detail::check_lambda(where, lambda);
  detail::require(rows(profiles) == columns(phi) && columns(profiles) == p.model_count(), where, ": profiles is ",
                  rows(profiles), " x ", columns(profiles), ", but must be ", columns(phi), " x ", p.model_count());
  std::vector<std::uint32_t> out;
  std::vector<double> predicted(p.model_count());
  for (std::size_t i = 0; i < p.size(); ++i) {
    std::fill(predicted.begin(), predicted.end(), 0.0);
    for (std::size_t k = 0; k < columns(phi); ++k) {
      if (phi(i, k) == 0) continue;
      for (std::size_t h = 0; h < predicted.size(); ++h) predicted[h] += phi(i, k) * profiles(k, h);
    }
    out.push_back(static_cast<std::uint32_t>(detail::least_objective(predicted, p.costs_of(i), lambda)));
  }
  return out;
}

/// What the regret of the exact plug-in rule (profiles Ψ*) is bounded by, and what was published.
struct approximation_terms {
  double range = 0;      ///< E[max_h e_h − min_h e_h], e_h = γ* − Φᵀ Ψ*: bounds any map, the tightest of these
  double absolute = 0;   ///< 2 E[max_{h,k} |Δ_k(x, h)|] over cells with Φ_k(x) > 0: bounds any map; the 2 is tight
  double one_sided = 0;  ///< E[max_h −Δ_{k(x)}(x, h)], hard maps alone (else infinite): coefficient 1
  double published_absolute = 0;  ///< E[max_{h,k} |Δ_k|]: the coefficient 1 that fails for soft maps
  double published_signed = 0;    ///< E[max_{h,k} Δ_k]: the sign that fails for hard ones, too
};

/// The terms of a map in a world, with Δ_k(x, h) = P[error | x, z = k] − Ψ*_k(h). O(n K M); throws as truth_of.
inline approximation_terms approximation_of(const population& p, const membership_matrix& phi,
                                            std::span<const loss_matrix> given_cell = {}) {
  const cell_truth truth = truth_of(p, phi, given_cell);
  approximation_terms out;
  bool hard = true;
  for (std::size_t i = 0; i < p.size(); ++i) {
    double highest = -1, lowest = 1, largest = -1, smallest = 1;
    for (std::size_t h = 0; h < p.model_count(); ++h) {
      double error = 0;
      for (std::size_t k = 0; k < columns(phi); ++k) {
        if (phi(i, k) == 0) continue;
        hard = hard && phi(i, k) == 1;
        const double delta = detail::error_in_cell(p, given_cell, k, i, h) - truth.profiles(k, h);
        error += phi(i, k) * delta;
        largest = std::max(largest, delta);
        smallest = std::min(smallest, delta);
      }
      highest = std::max(highest, error);
      lowest = std::min(lowest, error);
    }
    const double w = p.weights[i];
    out.range += w * (highest - lowest);
    out.published_absolute += w * std::max(largest, -smallest);
    out.published_signed += w * largest;
    out.one_sided -= w * smallest;
  }
  out.absolute = 2 * out.published_absolute;
  if (!hard) out.one_sided = std::numeric_limits<double>::infinity();
  return out;
}

/// The parts of a plug-in rule's regret; they add up to it.
struct regret_parts {
  double approximation = 0;     ///< J of the reference map with its exact profiles, less J(r*); >= 0
  double optimisation = 0;      ///< J of the given map less J of the reference map, both with exact profiles; any sign
  double estimation = 0;        ///< J with the profiles given less J with the exact ones; >= 0 for hard maps
  double regret = 0;            ///< of the rule as it is
  double estimation_bound = 0;  ///< 2 Σ_k p_k max_h |Ψ_k(h) − Ψ*_k(h)|
};

/// Takes the regret of argmin Φᵀ Ψ + λ c apart, `profiles` being the Ψ (K x M) that it uses. `reference`: memberships
/// of the map that `phi` was meant to be (the best of its family, say), for a learned map; without one the given map is
/// its own reference and nothing is charged to optimisation. Throws as truth_of and plug_in_choices.
inline regret_parts take_apart(const population& p, const membership_matrix& phi, const matrix<double>& profiles,
                               double lambda, const membership_matrix* reference = nullptr,
                               std::span<const loss_matrix> given_cell = {}) {
  const cell_truth truth = truth_of(p, phi, given_cell);
  const auto regret = [&](const membership_matrix& map, const matrix<double>& psi) {
    return regret_of(p, std::span<const std::uint32_t>(plug_in_choices(p, map, psi, lambda)), lambda).regret;
  };
  regret_parts out;
  out.regret = regret(phi, profiles);
  const double exact = regret(phi, truth.profiles);
  out.approximation = reference == nullptr ? exact : regret(*reference, truth_of(p, *reference).profiles);
  out.optimisation = exact - out.approximation;
  out.estimation = out.regret - exact;
  for (std::size_t k = 0; k < truth.shares.size(); ++k) {
    double largest = 0;
    for (std::size_t h = 0; h < p.model_count(); ++h)
      largest = std::max(largest, std::fabs(profiles(k, h) - truth.profiles(k, h)));
    out.estimation_bound += 2 * truth.shares[k] * largest;
  }
  return out;
}

/// The same for a router with Φ and Ψ̂ of its own, among its pool: its choices at λ, if its rule sees the costs that the
/// population has. The pool's names must be models of the population, whose embeddings are what its predictor reads.
template <class Router>
requires cell_based<typename Router::predictor_type> regret_parts
take_apart(const population& p, const Router& router, double lambda, const membership_matrix* reference = nullptr) {
  const auto& predictor = router.predictor_policy();
  const loss_matrix losses = predictor.profile_losses();
  auto profiles = make_matrix<double>(columns(losses), rows(losses));
  for (std::size_t k = 0; k < rows(profiles); ++k) {
    for (std::size_t h = 0; h < columns(profiles); ++h) profiles(k, h) = losses(h, k);
  }
  return take_apart(select_models(p, router.models()), memberships(predictor.map(), p.embeddings), profiles, lambda,
                    reference);
}

/// Regret of a choice per hard cell to the best rule that is constant on the cells, for costs that are the same for
/// every prompt: Σ p_k [Ψ*_k(r(k)) + λ c(r(k)) − min_h (Ψ*_k(h) + λ c(h))]. What cell certificates bound (target i).
/// Throws std::invalid_argument for shapes.
inline double regret_to_cells(const cell_truth& truth, std::span<const double> costs,
                              std::span<const std::uint32_t> choices, double lambda) {
  constexpr auto where = "regret_to_cells";
  const std::size_t m = columns(truth.profiles);
  detail::require(costs.size() == m, where, ": costs has ", costs.size(), " entries, but must have ", m);
  detail::require(choices.size() == truth.shares.size(), where, ": choices has ", choices.size(),
                  " entries, but must have ", truth.shares.size());
  detail::check_lambda(where, lambda);
  double sum = 0;
  for (std::size_t k = 0; k < choices.size(); ++k) {
    const auto psi = row(truth.profiles, k);
    const std::size_t r = choices[k], best = detail::least_objective(psi, costs, lambda);
    detail::require(r < m, where, ": choices[", k, "] is ", r, ", but must be below ", m);
    sum += truth.shares[k] * std::max(0.0, psi[r] - psi[best] + lambda * (costs[r] - costs[best]));
  }
  return sum;
}

}  // namespace uniroute
