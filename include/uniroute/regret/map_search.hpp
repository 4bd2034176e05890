#pragma once

// The best softmax map of a world that anyone found: what a learned map could have been.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/lbfgs.hpp>
#include <uniroute/numeric/softmax_cells.hpp>
#include <uniroute/random.hpp>
#include <uniroute/regret/cell_truth.hpp>
#include <uniroute/regret/population.hpp>
#include <uniroute/regret/regret_of.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Where the search for the best map starts, and how far it goes.
struct map_search_options {
  std::size_t starts = 16;                 ///< random ones, beside those that are given; in all at least 1
  std::size_t climbs = 300;                ///< random moves after that, kept where they lower the exact regret
  std::size_t steps = 60;                  ///< of L-BFGS from each start, at each of the four softnesses
  std::vector<matrix<double>> given = {};  ///< θ to start from as well, K x (D + 1) each (learned_map::weights)
  std::uint64_t seed = 1;                  ///< of the random starts; start i does not depend on how many there are
};

/// What a search found. `regret` is at least the infimum over all softmax maps with K cells, and by how much is not
/// known: `regrets` shows how the starts agree, given ones first.
struct found_map {
  membership_matrix memberships = make_matrix<double>(0, 0);  ///< Φ on the population, n x K
  matrix<double> weights = make_matrix<double>(0, 0);         ///< θ, K x (D + 1): Φ(x) = softmax(θ (x, 1))
  double regret = 0;            ///< of argmin_h Φᵀ Ψ*(h) + λ c(h), Ψ* being the exact profiles of this Φ
  std::vector<double> regrets;  ///< the least along each start's descent
};

namespace detail {

/// E Σ_h q_h(x) (γ* + λ c), q = softmax(−(Φᵀ Ψ* + λ c) / softness), as a function of θ, K x (D + 1): the objective of
/// the plug-in rule with exact profiles, where ties are broken softly. Ψ* moves with Φ and the gradient knows it.
class soft_plug_in {
 public:
  soft_plug_in(const population& p, std::size_t cells, double lambda)
      : p_(p), n_(p.size()), m_(p.model_count()), k_(cells), f_(columns(p.embeddings) + 1) {
    features_ = make_matrix<double>(n_, f_, 1.0);
    weighted_ = make_matrix<double>(n_, m_);
    objective_ = make_matrix<double>(n_, m_);
    prices_ = make_matrix<double>(n_, m_);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j + 1 < f_; ++j) features_(i, j) = static_cast<double>(p.embeddings(i, j));
      for (std::size_t h = 0; h < m_; ++h) {
        weighted_(i, h) = p.weights[i] * p.expected_losses(i, h);
        prices_(i, h) = lambda * p.costs_of(i)[h];
        objective_(i, h) = p.expected_losses(i, h) + prices_(i, h);
      }
    }
    phi_ = make_matrix<double>(n_, k_);
    back_ = make_matrix<double>(n_, k_);
    scores_ = make_matrix<double>(n_, m_);
    profiles_ = make_matrix<double>(k_, m_);
    slopes_ = make_matrix<double>(k_, m_);
    shares_.resize(k_);
  }

  double softness = 0.1;
  const membership_matrix& memberships() const noexcept { return phi_; }  ///< of the last call

  double operator()(std::span<const double> theta, std::span<double> gradient) {
    forward(theta);
    // Scores → soft choices → the derivative by scores, in place.
    double value = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      const auto s = row(scores_, i), a = row(objective_, i);
      softmax_of_scores(s, softness);
      double mean = 0;
      for (std::size_t h = 0; h < m_; ++h) mean += s[h] * a[h];
      value += p_.weights[i] * mean;
      for (std::size_t h = 0; h < m_; ++h) s[h] *= -p_.weights[i] * (a[h] - mean) / softness;
    }
    // By Ψ: Φᵀ g; and from there by Φ, through the quotient that Ψ is.
    gemm<double>(op::transposed, op::as_is, k_, m_, n_, 1, phi_.data(), k_, scores_.data(), m_, 0, slopes_.data(), m_);
    gemm<double>(op::as_is, op::transposed, n_, k_, m_, 1, scores_.data(), m_, profiles_.data(), m_, 0, back_.data(),
                 k_);
    std::vector<double> through(k_, 0.0);
    for (std::size_t k = 0; k < k_; ++k) {
      for (std::size_t h = 0; h < m_; ++h) {
        slopes_(k, h) /= shares_[k];
        through[k] += slopes_(k, h) * profiles_(k, h);
      }
    }
    gemm<double>(op::as_is, op::transposed, n_, k_, m_, 1, weighted_.data(), m_, slopes_.data(), m_, 1, back_.data(),
                 k_);
    for (std::size_t i = 0; i < n_; ++i) {
      double mean = 0;
      for (std::size_t k = 0; k < k_; ++k) mean += phi_(i, k) * (back_(i, k) -= p_.weights[i] * through[k]);
      for (std::size_t k = 0; k < k_; ++k) back_(i, k) = phi_(i, k) * (back_(i, k) - mean);
    }
    gemm<double>(op::transposed, op::as_is, k_, f_, n_, 1, back_.data(), k_, features_.data(), f_, 0, gradient.data(),
                 f_);
    return value;
  }

  /// Regret of the choices of least score after `forward`.
  double plain_regret() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      const auto s = row(scores_, i), a = row(objective_, i);
      const auto chosen = std::min_element(s.begin(), s.end()) - s.begin();
      sum += p_.weights[i] * (a[static_cast<std::size_t>(chosen)] - *std::min_element(a.begin(), a.end()));
    }
    return sum;
  }

  /// Φ of θ, Ψ* of Φ, and Φᵀ Ψ* + λ c.
  void forward(std::span<const double> theta) {
    constexpr double least_share = 1e-30;  // of a cell that nobody is in: its Ψ does not matter
    gemm<double>(op::as_is, op::transposed, n_, k_, f_, -1, features_.data(), f_, theta.data(), f_, 0, phi_.data(), k_);
    std::fill(shares_.begin(), shares_.end(), least_share);
    for (std::size_t i = 0; i < n_; ++i) {
      softmax_of_scores(row(phi_, i), 1);
      for (std::size_t k = 0; k < k_; ++k) shares_[k] += p_.weights[i] * phi_(i, k);
    }
    gemm<double>(op::transposed, op::as_is, k_, m_, n_, 1, phi_.data(), k_, weighted_.data(), m_, 0, profiles_.data(),
                 m_);
    for (std::size_t k = 0; k < k_; ++k) {
      for (double& psi : row(profiles_, k)) psi /= shares_[k];
    }
    std::copy(prices_.begin(), prices_.end(), scores_.begin());
    gemm<double>(op::as_is, op::as_is, n_, m_, k_, 1, phi_.data(), k_, profiles_.data(), m_, 1, scores_.data(), m_);
  }

 private:
  const population& p_;
  std::size_t n_, m_, k_, f_;
  matrix<double> features_, weighted_, objective_, prices_, phi_, back_, scores_, profiles_, slopes_;
  std::vector<double> shares_;
};

/// How far θ moves for logits to move by about 10: per coordinate, the last being the constant.
inline std::vector<double> logit_scale(const population& p) {
  std::vector<double> out;
  for (std::size_t j = 0; j < columns(p.embeddings); ++j) {
    double square = 0;
    for (std::size_t i = 0; i < p.size(); ++i)
      square += p.weights[i] * static_cast<double>(p.embeddings(i, j)) * static_cast<double>(p.embeddings(i, j));
    out.push_back(10 / std::sqrt(std::max(square, 1e-12) * static_cast<double>(columns(p.embeddings))));
  }
  out.push_back(10);
  return out;
}

/// Random θ: by turns proximity to K prompts with a bandwidth between a thirtieth and three times their spread, and
/// cells that are each even on a plane through a prompt, from wide to steep.
inline std::vector<double> random_softmax(const population& p, std::size_t cells, bool planes, random_engine& draws) {
  const std::size_t d = columns(p.embeddings);
  std::vector<double> mean(d, 0.0), out(cells * (d + 1));
  double spread = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (std::size_t j = 0; j < d; ++j) mean[j] += p.weights[i] * static_cast<double>(p.embeddings(i, j));
  }
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      const double from_mean = static_cast<double>(p.embeddings(i, j)) - mean[j];
      spread += p.weights[i] * from_mean * from_mean;
    }
  }
  spread = std::max(spread, 1e-12);
  const double bandwidth = spread * std::pow(10, 2 * draws.uniform() - 1.5);
  const double slope = std::pow(10, 2 * draws.uniform()) / std::sqrt(spread);
  for (std::size_t k = 0; k < cells; ++k) {
    const auto centre = row(p.embeddings, draws.below(p.size()));
    double* const theta = out.data() + k * (d + 1);
    for (std::size_t j = 0; j < d; ++j) {
      const double c = static_cast<double>(centre[j]);
      theta[j] = planes ? slope * draws.normal() : 2 * c / bandwidth;
      theta[d] -= planes ? theta[j] * c : c * c / bandwidth;
    }
  }
  return out;
}

}  // namespace detail

/// Looks for the map Φ(x) = softmax(θ (x, 1)) with K cells whose plug-in rule, with the exact profiles of Φ, has the
/// least regret at λ: the best that any way of learning the map could have found, so that `take_apart` may charge the
/// difference to optimisation. Descends, from every start, the objective with soft choices, made harder in four stages,
/// and keeps the least exact regret met on the way; a given start is itself a candidate, so that nothing given is
/// better than what is found. O(n K (D + M)) a step; no guarantee of the optimum, which is a non-convex, piecewise
/// constant problem. Throws std::invalid_argument for shapes, no cell or no start, std::domain_error for a given start
/// that is not finite.
inline found_map search_softmax_maps(const population& p, std::size_t cells, double lambda,
                                     const map_search_options& options = {}) {
  constexpr auto where = "search_softmax_maps";
  detail::check_population(where, p);
  detail::check_lambda(where, lambda);
  const std::size_t f = columns(p.embeddings) + 1;
  detail::require(rows(p.embeddings) == p.size(), where, ": embeddings has ", rows(p.embeddings),
                  " rows, but must have ", p.size());
  detail::require(cells != 0, where, ": cells is 0, but must be at least 1");
  detail::require(options.starts + options.given.size() != 0, where, ": starts is 0, but must be at least 1");
  for (const auto& theta : options.given) {
    detail::require(rows(theta) == cells && columns(theta) == f, where, ": a given start is ", rows(theta), " x ",
                    columns(theta), ", but must be ", cells, " x ", f);
    detail::check_finite(where, "a given start", theta);
  }

  detail::soft_plug_in objective(p, cells, lambda);
  found_map out;
  out.regret = std::numeric_limits<double>::infinity();
  std::vector<double> peak;
  const std::vector<double> scale = detail::logit_scale(p);
  // Steps are weighed by the scores at hand, and what seems better once more by the public functions.
  const auto weigh = [&](std::span<const double> theta, double& least) {
    objective.forward(theta);
    if (objective.plain_regret() >= least) return;
    const auto truth = truth_of(p, objective.memberships());
    const auto choices = plug_in_choices(p, objective.memberships(), truth.profiles, lambda);
    const double regret = regret_of(p, std::span<const std::uint32_t>(choices), lambda).regret;
    if (regret < least) {
      least = regret;
      peak.assign(theta.begin(), theta.end());
    }
    if (!(regret < out.regret)) return;
    out.regret = regret;
    out.memberships = objective.memberships();
    out.weights = make_matrix<double>(cells, f);
    std::copy(theta.begin(), theta.end(), out.weights.begin());
  };
  for (std::size_t s = 0; s < options.given.size() + options.starts; ++s) {
    std::vector<double> theta;
    double least = std::numeric_limits<double>::infinity();
    if (s < options.given.size()) {
      theta.assign(options.given[s].begin(), options.given[s].end());
      weigh(theta, least);
    } else {  // the best of a handful
      random_engine draws(derive_seed(options.seed, s - options.given.size()));
      for (int draw = 0; draw < 30; ++draw) weigh(detail::random_softmax(p, cells, draw % 2 == 1, draws), least);
      theta = peak;
    }
    for (const double softness : {0.1, 0.03, 0.01, 0.003}) {
      objective.softness = softness;
      detail::minimise_lbfgs(theta, {.max_steps = options.steps, .gradient_tolerance = 1e-9}, objective,
                             [&](std::size_t, std::span<const double> at, double) {
                               weigh(at, least);
                               return true;
                             });
    }
    // What descent cannot see, a rule that changes at once, a climber may: from the best of this descent.
    random_engine draws(derive_seed(options.seed, 0x636C696D62 + s));
    for (std::size_t c = 0; c < options.climbs; ++c) {
      const double size = std::pow(10, 3 * draws.uniform() - 2.5);
      const std::size_t only = draws.below(2 * cells);  // half the time one cell moves, otherwise all
      theta = peak;
      for (std::size_t k = 0; k < cells; ++k) {
        if (only < cells && only != k) continue;
        for (std::size_t j = 0; j < f; ++j) theta[k * f + j] += size * scale[j] * draws.normal();
      }
      weigh(theta, least);
    }
    out.regrets.push_back(least);
  }
  return out;
}

}  // namespace uniroute
