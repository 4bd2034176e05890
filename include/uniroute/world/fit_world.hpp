#pragma once

// A world shaped like a real table: γ* is a smooth model of its outcomes, known exactly because it is ours.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/world/discrete_world.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The prior of `fit_world`, and when it stops.
struct fit_world_options {
  double logit_spread = 1;       ///< τ: prior standard deviation of an LLM's log-odds over prompts
  std::size_t iterations = 100;  ///< of the ascent; each raises the posterior
  double tolerance = 1e-6;       ///< stop when no weight moves by more
};

/// The table's prompts as types of equal probability, with γ*(x, h) = 1 / (1 + exp(−b_h − w_hᵀ φ̃(x))), φ̃ the embedding,
/// centred and of mean square length 1: logistic ridge regression of each LLM's losses, w_h ~ N(0, τ² I), b_h
/// nearly free. It is found by Böhning and Lindsay's (1988) bound on the curvature, ¼ XᵀX + penalty, so one Cholesky
/// factor serves all LLMs and iterations and missing outcomes cost nothing. Costs are the table's, mean per LLM.
/// Smoother than the truth (a posterior mode shrinks): shapes are realistic, levels of noise are not. Needs embeddings,
/// and an observed outcome of each LLM: throws std::invalid_argument. O(n D² + D³ + iterations n D M).
template <class Loss>
discrete_world fit_world(const basic_routing_table<Loss>& table, fit_world_options options = {}) {
  constexpr auto where = "fit_world";
  detail::require(table.size() != 0 && table.has_embeddings(), where, ": the table has ", table.size(),
                  table.has_embeddings() ? " prompts" : " prompts without embeddings",
                  ", but must have at least 1 with embeddings");
  detail::require(options.logit_spread > 0 && std::isfinite(options.logit_spread), where, ": logit_spread is ",
                  options.logit_spread, ", but must be finite and above 0");
  const std::size_t n = table.size(), m = table.model_count(), d = columns(table.embeddings()), f = d + 1;
  for (std::size_t h = 0; h < m; ++h) {
    const auto losses = column(table.losses(), h);
    detail::require(!std::all_of(losses.begin(), losses.end(), is_missing), where, ": model '", table.models()[h].name,
                    "' has 0 observed outcomes, but must have at least 1");
  }

  // Features: 1, then the centred embedding divided by its root mean square length.
  auto x = make_matrix<double>(n, f, 1.0);
  double square = 0;
  for (std::size_t j = 0; j < d; ++j) {
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(table.embeddings()(i, j)) / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      x(i, j + 1) = static_cast<double>(table.embeddings()(i, j)) - mean;
      square += x(i, j + 1) * x(i, j + 1) / static_cast<double>(n);
    }
  }
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 1; j < f; ++j) x(i, j) *= scale;
  }
  const double precision = 1 / (options.logit_spread * options.logit_spread);
  const auto penalty = [&](std::size_t j) { return j == 0 ? 1e-3 : precision; };
  auto curvature = make_matrix<double>(f, f);
  detail::gemm<double>(detail::op::transposed, detail::op::as_is, f, f, n, 0.25, x.data(), f, x.data(), f, 0,
                       curvature.data(), f);
  for (std::size_t j = 0; j < f; ++j) curvature(j, j) += penalty(j);
  const auto factor = detail::cholesky::factor(std::move(curvature));
  detail::require(factor.has_value(), where, ": the curvature is not positive definite, but must be");

  auto weights = make_matrix<double>(m, f, 0.0), step = make_matrix<double>(m, f);
  auto gamma = make_matrix<double>(n, m), residual = make_matrix<double>(n, m);
  const auto predict = [&] {
    detail::gemm<double>(detail::op::as_is, detail::op::transposed, n, m, f, 1, x.data(), f, weights.data(), f, 0,
                         gamma.data(), m);
    for (double& value : gamma) value = 1 / (1 + std::exp(-value));
  };
  for (std::size_t iteration = 0; iteration < options.iterations; ++iteration) {
    predict();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < m; ++h) {
        const double loss = table.losses()(i, h);
        residual(i, h) = is_missing(loss) ? 0 : loss - gamma(i, h);
      }
    }
    detail::gemm<double>(detail::op::transposed, detail::op::as_is, m, f, n, 1, residual.data(), m, x.data(), f, 0,
                         step.data(), f);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t j = 0; j < f; ++j) step(h, j) -= penalty(j) * weights(h, j);
    }
    factor->solve({step.data(), step.size()}, m);
    double largest = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights.data()[i] += step.data()[i];
      largest = std::max(largest, std::fabs(step.data()[i]));
    }
    if (largest <= options.tolerance) break;
  }
  predict();

  discrete_world_parts parts;
  parts.probabilities.assign(n, 1 / static_cast<double>(n));
  parts.expected_losses = std::move(gamma);
  parts.costs = make_matrix<double>(1, m);
  for (std::size_t h = 0; h < m; ++h) parts.costs(0, h) = table.mean_cost(table.models()[h].name);
  parts.embeddings = table.embeddings();
  parts.models = table.model_names();
  return discrete_world(std::move(parts));
}

}  // namespace uniroute
