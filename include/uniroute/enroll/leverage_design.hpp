#pragma once

// Prompts that determine a linear model best: D-optimal, one after another.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/enroll/detail/fixed_size_sample.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/transform/skills.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How `leverage_design` weighs what it knows beforehand.
struct leverage_options {
  double prior = 1;           ///< precision of the coefficients before any label, in labels; above 0
  double least_weight = 0.1;  ///< of a chosen prompt, as a share of the mean weight; in (0, 1)

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("prior", of.prior);
    visit("least_weight", of.least_weight);
  }
};

/// With z(x) = (1, features of x), features by Transform: takes, one after another, the candidate with the largest
/// leverage z' A⁻¹ z, A = prior I + Σ z z' over those taken so far, which is the one that raises det A most (greedy
/// D-optimal design; Fedorov 1972). Ties go to the lower index; nothing is drawn, and the seed is not read.
///
/// It takes extremes, so the mean of what it takes is not the candidates' mean. Weights are calibrated (Deville and
/// Särndal 1992, linear method): the weighted features of the chosen add up to the candidates', as nearly as the prior
/// and the least weight allow; the weighted mean of losses is then that of a linear model's predictions over all
/// candidates. Whatever is not linear in the features is not undone: unlike the drawn designs it has no unbiased mean.
/// `fit` costs what the transform's does, `choose` O(n budget d²). Const members are thread-safe.
template <class Transform>
class leverage_design {
  static_assert(embedding_transform<Transform>,
                "leverage_design: Transform must model embedding_transform: fit(embeddings, losses), "
                "apply(embeddings), apply(embedding, out), dimension(), input_dimension(), save, load");

 public:
  /// Throws std::invalid_argument for a prior that is not positive and a least weight outside (0, 1).
  explicit leverage_design(leverage_options options = {}, Transform transform = Transform{})
      : options_(options), transform_(std::move(transform)) {
    detail::require(options.prior > 0 && std::isfinite(options.prior), "leverage_design: prior is ", options.prior,
                    ", but must be finite and above 0");
    detail::require(options.least_weight > 0 && options.least_weight < 1, "leverage_design: least_weight is ",
                    options.least_weight, ", but must be between 0 and 1");
  }

  /// Fits the transform. Throws what it throws, std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("leverage_design::fit", x, losses);
    transform_.fit(x, losses);
  }

  const Transform& transform_policy() const noexcept { return transform_; }
  const leverage_options& options() const noexcept { return options_; }

  /// Throws not_fitted, std::invalid_argument for shapes or no budget, std::domain_error for values.
  label_sample choose(const embedding_matrix& candidates, std::size_t budget, std::uint64_t) const {
    detail::check_choice("leverage_design::choose", candidates, transform_.input_dimension(), budget);
    const std::size_t n = rows(candidates);
    if (budget >= n) return detail::whole_sample(n);
    const matrix<double> z = features(candidates);
    label_sample out;
    out.prompts = take_greedily(z, budget);
    out.weights = calibrate(z, out.prompts);
    out.inclusion.assign(n, 0.0);
    for (const std::size_t i : out.prompts) out.inclusion[i] = 1;
    return out;
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { leverage_design(next.options_, next.transform_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("transform", of.transform_);
  }

 private:
  /// (1, features), n x (d + 1).
  matrix<double> features(const embedding_matrix& candidates) const {
    const embedding_matrix f = transform_.apply(candidates);
    auto z = make_matrix<double>(rows(f), columns(f) + 1, 1.0);
    for (std::size_t i = 0; i < rows(f); ++i) {
      for (std::size_t j = 0; j < columns(f); ++j) z(i, j + 1) = static_cast<double>(f(i, j));
    }
    return z;
  }

  std::vector<std::size_t> take_greedily(const matrix<double>& z, std::size_t budget) const {
    const std::size_t n = rows(z), d = columns(z);
    auto inverse = make_matrix<double>(d, d, 0.0);
    for (std::size_t j = 0; j < d; ++j) inverse(j, j) = 1 / options_.prior;
    std::vector<double> leverages(n), direction(d);
    for (std::size_t i = 0; i < n; ++i) {
      for (const double value : row(z, i)) leverages[i] += value * value / options_.prior;
    }
    std::vector<std::size_t> taken;
    std::vector<bool> open(n, true);
    while (taken.size() < budget) {
      std::size_t best = n;
      for (std::size_t i = 0; i < n; ++i) {
        if (open[i] && (best == n || leverages[i] > leverages[best])) best = i;
      }
      open[best] = false;
      taken.push_back(best);
      // Sherman and Morrison: A⁻¹ loses v v' / (1 + leverage) with v = A⁻¹ z.
      for (std::size_t j = 0; j < d; ++j) {
        direction[j] = 0;
        for (std::size_t l = 0; l < d; ++l) direction[j] += inverse(j, l) * z(best, l);
      }
      const double scale = 1 + leverages[best];
      for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t l = 0; l < d; ++l) inverse(j, l) -= direction[j] * direction[l] / scale;
      }
      for (std::size_t i = 0; i < n; ++i) {
        double dot = 0;
        for (std::size_t j = 0; j < d; ++j) dot += direction[j] * z(i, j);
        leverages[i] -= dot * dot / scale;
      }
    }
    std::sort(taken.begin(), taken.end());
    return taken;
  }

  /// (n / budget) (1 + λ' z), with λ such that Σ weight z over the chosen is Σ z over the candidates but for the prior;
  /// raised to the least weight, and scaled to add up to n.
  std::vector<double> calibrate(const matrix<double>& z, std::span<const std::size_t> chosen) const {
    const std::size_t n = rows(z), d = columns(z);
    const double mean_weight = static_cast<double>(n) / static_cast<double>(chosen.size());
    auto gram = make_matrix<double>(d, d, 0.0);
    std::vector<double> lack(d, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < d; ++j) lack[j] += z(i, j) / mean_weight;
    }
    for (const std::size_t i : chosen) {
      for (std::size_t j = 0; j < d; ++j) {
        lack[j] -= z(i, j);
        for (std::size_t l = 0; l < d; ++l) gram(j, l) += z(i, j) * z(i, l);
      }
    }
    for (std::size_t j = 0; j < d; ++j) gram(j, j) += options_.prior;
    const auto factor = detail::cholesky::factor(std::move(gram));
    detail::require<std::runtime_error>(factor.has_value(),
                                        "leverage_design::choose: the features' Gram matrix is "
                                        "not positive definite");
    factor->solve(lack);
    std::vector<double> out;
    double sum = 0;
    for (const std::size_t i : chosen) {
      double weight = 1;
      for (std::size_t j = 0; j < d; ++j) weight += lack[j] * z(i, j);
      out.push_back(std::max(weight, options_.least_weight));
      sum += out.back();
    }
    for (double& weight : out) weight *= static_cast<double>(n) / sum;
    return out;
  }

  leverage_options options_;
  Transform transform_;
};

static_assert(label_design<leverage_design<>>);

}  // namespace uniroute
