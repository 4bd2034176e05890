#pragma once

// Weights of several predictors from seen LLMs in the part of new ones: what a stack is made of.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/nonnegative.hpp>
#include <vector>

namespace uniroute {

/// Finds w >= 0 that minimises Σ_i Σ_h (ℓ̃_ih − Σ_m w_m d̃_m,ih)² (stacking, Wolpert 1992; with nonnegative weights,
/// Breiman 1996). d_m = γ̂_m − μ(h) is what predictor m says beyond the LLM's mean, ℓ − μ(h) what there was to say, and
/// the tilde takes off each prompt's mean over the LLMs whose outcome was observed: a rule compares LLMs, so how hard a
/// prompt is for all of them does not matter to it and would only add noise. Weights need not sum to one: a sum below
/// one pulls the mixture to the prompt-independent prediction, and predictors without signal get none.
class stacking {
 public:
  explicit stacking(std::size_t predictors) : equations_(predictors), row_(predictors) {}

  std::size_t size() const noexcept { return equations_.size(); }  ///< predictors

  /// Adds a sample: per predictor n x M predicted losses (or 1 x M if they do not depend on the prompt), the LLMs'
  /// means (M) and their losses (n x M, missing allowed). A sample weighs the same whatever its size. Throws
  /// std::invalid_argument for shapes.
  void add(std::span<const loss_matrix* const> predicted, std::span<const double> means, const loss_matrix& losses) {
    const std::size_t n = rows(losses), m = columns(losses);
    detail::require(predicted.size() == size(), "stacking::add: predicted has ", predicted.size(),
                    " entries, but must have ", size());
    detail::require(means.size() == m, "stacking::add: means has ", means.size(), " entries, but must have ", m);
    for (const loss_matrix* p : predicted) {
      detail::require(columns(*p) == m && (rows(*p) == n || rows(*p) == 1), "stacking::add: a prediction is ", rows(*p),
                      " x ", columns(*p), ", but must be ", n, " x ", m, " (or have one row)");
    }
    std::vector<double> average(size());
    for (std::size_t i = 0; i < n; ++i) {
      double observed = 0, residual = 0;
      std::fill(average.begin(), average.end(), 0.0);
      for (std::size_t h = 0; h < m; ++h) {
        if (is_missing(losses(i, h))) continue;
        observed += 1;
        residual += losses(i, h) - means[h];
        for (std::size_t p = 0; p < size(); ++p) average[p] += deviation(*predicted[p], means, i, h);
      }
      if (observed < 2) continue;
      for (std::size_t h = 0; h < m; ++h) {
        if (is_missing(losses(i, h))) continue;
        for (std::size_t p = 0; p < size(); ++p)
          row_[p] = deviation(*predicted[p], means, i, h) - average[p] / observed;
        equations_.add(row_, losses(i, h) - means[h] - residual / observed, 1 / static_cast<double>(n));
      }
    }
  }

  /// Adds all samples of another stack. Throws std::invalid_argument unless it has as many predictors.
  void add(const stacking& other) {
    detail::require(other.size() == size(), "stacking::add: the other stack has ", other.size(),
                    " predictors, but must have ", size());
    equations_.add(other.equations_);
  }

  /// w, one per predictor; all zero if no sample was added. `prior` >= 0 adds prior · t Σ_m (w_m − 1/P)², t the mean of
  /// Σ d̃_m² over predictors: predictors that the samples cannot tell apart share their weight. O(P²) a round.
  std::vector<double> weights(double prior = 0) const {
    detail::require(prior >= 0 && std::isfinite(prior), "stacking::weights: prior is ", prior,
                    ", but must be finite and at least 0");
    detail::normal_equations equations = equations_;
    const double p = static_cast<double>(size());
    double scale = 0;
    for (std::size_t i = 0; i < size(); ++i) scale += equations.gram()(i, i) / p;
    equations.pull(prior * scale, 1 / p);
    return detail::nonnegative_least_squares(equations);
  }

  /// How much less squared error the samples have with weights w than with none: Σ ℓ̃² − Σ (ℓ̃ − Σ_m w_m d̃_m)².
  /// Weights that were found on other samples tell by its sign whether there is a signal.
  double error_spared(std::span<const double> weights) const {
    detail::require(weights.size() == size(), "stacking::error_spared: weights has ", weights.size(),
                    " entries, but must have ", size());
    double out = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      out += 2 * weights[i] * equations_.right()[i];
      for (std::size_t j = 0; j < size(); ++j) out -= weights[i] * equations_.gram()(i, j) * weights[j];
    }
    return out;
  }

  /// out = μ(h) + Σ_m w_m (γ̂_m − μ(h)), n x M (n x M or 1 x M predictions). Shapes are the caller's business.
  static loss_matrix mix(std::span<const loss_matrix* const> predicted, std::span<const double> means,
                         std::span<const double> weights, std::size_t n) {
    auto out = make_matrix<double>(n, means.size());
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < means.size(); ++h) {
        double sum = means[h];
        for (std::size_t p = 0; p < predicted.size(); ++p)
          sum += weights[p] == 0 ? 0 : weights[p] * deviation(*predicted[p], means, i, h);
        out(i, h) = sum;
      }
    }
    return out;
  }

 private:
  static double deviation(const loss_matrix& predicted, std::span<const double> means, std::size_t i, std::size_t h) {
    return predicted(rows(predicted) == 1 ? 0 : i, h) - means[h];
  }

  detail::normal_equations equations_;
  std::vector<double> row_;
};

/// For each of several samples the weights that the others give together; its own where it is alone. Whether a mixture
/// has learned something shows on samples that its weights have not seen.
inline std::vector<std::vector<double>> weights_of_others(std::span<const stacking> samples, double prior = 0) {
  std::vector<std::vector<double>> out;
  for (std::size_t r = 0; r < samples.size(); ++r) {
    stacking others(samples[r].size());
    for (std::size_t o = 0; o < samples.size(); ++o) {
      if (o != r || samples.size() == 1) others.add(samples[o]);
    }
    out.push_back(others.weights(prior));
  }
  return out;
}

/// The squared error that each sample is spared by its weights, summed: above 0 where there is a signal.
inline double error_spared(std::span<const stacking> samples, std::span<const std::vector<double>> weights) {
  detail::require(weights.size() == samples.size(), "error_spared: weights has ", weights.size(),
                  " entries, but must have ", samples.size());
  double out = 0;
  for (std::size_t r = 0; r < samples.size(); ++r) out += samples[r].error_spared(weights[r]);
  return out;
}

}  // namespace uniroute
