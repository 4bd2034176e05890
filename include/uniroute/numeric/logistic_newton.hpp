#pragma once

// Logistic regression with a normal prior on few weights, by damped Newton steps.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <vector>

namespace uniroute::detail {

inline double sigmoid(double v) noexcept { return v >= 0 ? 1 / (1 + std::exp(-v)) : std::exp(v) / (1 + std::exp(v)); }

/// log(1 + exp(v)).
inline double soft_plus(double v) noexcept { return std::max(v, 0.0) + std::log1p(std::exp(-std::fabs(v))); }

/// Weights w ~ N(mean, precision⁻¹).
struct normal_prior {
  std::vector<double> mean;
  matrix<double> precision = make_matrix<double>(0, 0);  ///< p x p, positive definite
};

/// The score of prompt i: offset + z · w.
inline double logit_of(const matrix<double>& z, std::span<const double> offsets, std::span<const double> w,
                       std::size_t i) noexcept {
  const auto f = row(z, i);
  double s = offsets.empty() ? 0 : offsets[i];
  for (std::size_t j = 0; j < w.size(); ++j) s += f[j] * w[j];
  return s;
}

/// Newton's step from w for the log posterior Σ_i [ℓ_i s_i - log(1 + exp s_i)] - (w - mean)ᵀ precision (w - mean) / 2,
/// s_i = offset_i + z_i · w, which is concave; ℓ in [0, 1], missing ones left out. z is n x p; `offsets` has n values,
/// or none. False, with `step` undefined, if the curvature is singular to working precision. O(n p² + p³).
inline bool newton_step(const matrix<double>& z, std::span<const double> offsets, std::span<const double> losses,
                        const normal_prior& prior, std::span<const double> w, std::span<double> step) {
  const std::size_t p = columns(z);
  assert(losses.size() == rows(z) && w.size() == p && step.size() == p && prior.mean.size() == p);
  matrix<double> curvature = prior.precision;
  for (std::size_t j = 0; j < p; ++j) {
    step[j] = 0;
    for (std::size_t k = 0; k < p; ++k) step[j] -= prior.precision(j, k) * (w[k] - prior.mean[k]);
  }
  for (std::size_t i = 0; i < rows(z); ++i) {
    if (is_missing(losses[i])) continue;
    const double q = sigmoid(logit_of(z, offsets, w, i)), weight = q * (1 - q);
    const auto f = row(z, i);
    for (std::size_t j = 0; j < p; ++j) {
      step[j] += f[j] * (losses[i] - q);
      for (std::size_t k = 0; k <= j; ++k) curvature(j, k) += weight * f[j] * f[k];
    }
  }
  const auto factor = cholesky::factor(std::move(curvature));
  if (factor) factor->solve(step);
  return factor.has_value();
}

/// Maximises that log posterior. `w` is where it starts and where the answer is left. Steps are halved until they do
/// not fall; it stops when a step gains less than 1e-10 a prompt, or after 25.
inline void fit_logistic(const matrix<double>& z, std::span<const double> losses, const normal_prior& prior,
                         std::span<double> w) {
  const std::size_t n = rows(z), p = columns(z);
  const auto objective = [&](std::span<const double> at) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (is_missing(losses[i])) continue;
      const double s = logit_of(z, {}, at, i);
      sum += losses[i] * s - soft_plus(s);
    }
    for (std::size_t j = 0; j < p; ++j) {
      for (std::size_t k = 0; k < p; ++k)
        sum -= (at[j] - prior.mean[j]) * prior.precision(j, k) * (at[k] - prior.mean[k]) / 2;
    }
    return sum;
  };
  double value = objective(w);
  std::vector<double> step(p), next(p);
  for (std::size_t round = 0; round < 25; ++round) {
    if (!newton_step(z, {}, losses, prior, w, step)) return;
    double length = 1, gained = -1;
    for (int halving = 0; halving < 30 && gained < 0; ++halving, length /= 2) {
      for (std::size_t j = 0; j < p; ++j) next[j] = w[j] + length * step[j];
      gained = objective(next) - value;
    }
    if (!(gained >= 0)) return;
    std::copy(next.begin(), next.end(), w.begin());
    value += gained;
    if (gained < 1e-10 * static_cast<double>(n)) return;
  }
}

}  // namespace uniroute::detail
