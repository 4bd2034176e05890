#pragma once

// Logistic regression of each LLM's losses on a few features, with a prior that the seen LLMs give.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/logistic_newton.hpp>
#include <uniroute/predict/detail/marginal_likelihood.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How `logistic_regression` learns its prior, and when it stops.
struct logistic_regression_options {
  std::size_t largest_dimension = 64;   ///< refuses more columns: a weight each, per LLM
  std::size_t training_prompts = 2000;  ///< most that the prior is learned on, evenly spaced
  double prior_models = 2;              ///< LLMs that the prior's own prior N(0, I) counts as, positive

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("largest_dimension", of.largest_dimension);
    visit("training_prompts", of.training_prompts);
    visit("prior_models", of.prior_models);
  }
};

/// γ̂(x, h) = σ(θ₀(h) + θ(h) · x), θ(h) the mode of its posterior given h's validation outcomes, by Newton's method. The
/// prior is normal, its mean and covariance those of the seen LLMs' θ on the training prompts, together with
/// `prior_models` LLMs worth of N(0, I) (θ₀: N(0, 4)). For spaces of a few dimensions: put a transform before it.
/// An LLM costs O(n D²) a step. Const members are thread-safe; `predict` of one embedding allocates nothing.
class logistic_regression {
 public:
  /// Throws std::invalid_argument for options out of range.
  explicit logistic_regression(logistic_regression_options options = {}) : options_(options) {
    detail::require(options.prior_models > 0 && std::isfinite(options.prior_models),
                    "logistic_regression: prior_models is ", options.prior_models, ", but must be positive and finite");
    detail::require(options.largest_dimension >= 1 && options.training_prompts >= 1,
                    "logistic_regression: largest_dimension and training_prompts must be at least 1");
  }

  /// Learns the prior from training prompts (n x D) and the seen LLMs' losses (n x seen, may be 0). The pool and the
  /// validation sample are empty afterwards. Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("logistic_regression::fit", x, losses);
    detail::require(columns(x) <= options_.largest_dimension, "logistic_regression::fit: embeddings has ", columns(x),
                    " columns, but must have at most largest_dimension, ", options_.largest_dimension,
                    ": put a transform before it, transformed{skills{}, logistic_regression{}}");
    prior_ = learn_prior(x, losses);
    dimension_ = columns(x);
    sample_ = make_matrix<float>(0, 0);
    clear();
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards. Throws not_fitted, std::invalid_argument.
  void set_validation(const embedding_matrix& x) {
    detail::check_input("logistic_regression::set_validation", x, dimension_);
    detail::require(rows(x) != 0,
                    "logistic_regression::set_validation: embeddings has 0 rows, but must have at least 1");
    sample_ = x;
    clear();
  }

  /// Adds an LLM by its losses on the validation prompts. Throws not_fitted, std::invalid_argument, std::domain_error.
  void enroll(const std::string& name, std::span<const double> losses) {
    detail::require<not_fitted>(dimension_ != 0, "logistic_regression::enroll: fit must come first");
    roster_.require_new("logistic_regression::enroll", name);
    detail::check_column("logistic_regression::enroll", name, losses, rows(sample_));
    std::vector<double> w = prior_.mean;
    detail::fit_logistic(with_constant(sample_), losses, prior_, w);
    auto next = make_matrix<double>(size() + 1, w.size());
    std::copy(weights_.begin(), weights_.end(), next.begin());
    std::copy(w.begin(), w.end(), row(next, size()).begin());
    roster_.add(name);
    weights_ = std::move(next);
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) {
    const std::size_t index = roster_.find("logistic_regression::retire", name);
    std::vector<std::size_t> kept;
    for (std::size_t h = 0; h < size(); ++h) {
      if (h != index) kept.push_back(h);
    }
    matrix<double> next = take_rows(weights_, std::span<const std::size_t>(kept));
    roster_.remove(index);
    weights_ = std::move(next);
  }

  std::size_t size() const noexcept { return roster_.size(); }                      ///< M, models enrolled
  std::size_t dimension() const noexcept { return dimension_; }                     ///< D; 0 before fit
  std::span<const std::string> models() const noexcept { return roster_.names(); }  ///< in order of enrolment
  const matrix<double>& weights() const noexcept { return weights_; }               ///< θ, M x (1 + D)
  const logistic_regression_options& options() const noexcept { return options_; }

  /// γ̂, n x M. Throws not_fitted, std::invalid_argument for another dimension.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::check_input("logistic_regression::predict", x, dimension_);
    detail::require<not_fitted>(rows(sample_) != 0, "logistic_regression::predict: set_validation must come first");
    auto out = make_matrix<double>(rows(x), size());
    for (std::size_t i = 0; i < rows(x); ++i) predict(row(x, i), row(out, i));
    return out;
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension_ && out.size() == size());
    for (std::size_t h = 0; h < out.size(); ++h) {
      const auto w = row(weights_, h);
      double s = w[0];
      for (std::size_t j = 0; j < x.size(); ++j) s += w[1 + j] * static_cast<double>(x[j]);
      out[h] = detail::sigmoid(s);
    }
  }

  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      logistic_regression(next.options_);
      const std::size_t p = next.dimension_ == 0 ? 0 : next.dimension_ + 1;
      detail::require_state(
          next.prior_.mean.size() == p && rows(next.prior_.precision) == p && columns(next.prior_.precision) == p,
          "prior_mean and prior_precision must have a weight per column and one");
      detail::require_state(rows(next.sample_) == 0 || columns(next.sample_) == next.dimension_,
                            "validation must be prompts x dimension");
      detail::require_state(rows(next.weights_) == next.size() && (next.size() == 0 || columns(next.weights_) == p),
                            "weights must be models x (1 + dimension)");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("dimension", of.dimension_);
    visit("options", of.options_);
    visit("prior_mean", of.prior_.mean);
    visit("prior_precision", of.prior_.precision);
    visit("validation", of.sample_);
    visit("models", of.roster_);
    visit("weights", of.weights_);
  }

 private:
  void clear() {
    roster_ = {};
    weights_ = make_matrix<double>(0, 0);
  }

  static matrix<double> with_constant(const embedding_matrix& x) {
    auto out = make_matrix<double>(rows(x), columns(x) + 1, 1.0);
    for (std::size_t i = 0; i < rows(x); ++i) {
      for (std::size_t j = 0; j < columns(x); ++j) out(i, j + 1) = static_cast<double>(x(i, j));
    }
    return out;
  }

  detail::normal_prior learn_prior(const embedding_matrix& x, const loss_matrix& losses) const {
    const std::size_t p = columns(x) + 1;
    detail::normal_prior weak{std::vector<double>(p, 0.0), make_matrix<double>(p, p, 0.0)};
    for (std::size_t j = 0; j < p; ++j) weak.precision(j, j) = j == 0 ? 0.25 : 1;
    const auto sample = detail::evenly_spaced(rows(x), std::min(rows(x), options_.training_prompts));
    const matrix<double> z = with_constant(take_rows(x, std::span<const std::size_t>(sample)));
    std::vector<std::vector<double>> seen;
    std::vector<double> of_model(sample.size());
    for (std::size_t h = 0; h < columns(losses); ++h) {
      for (std::size_t i = 0; i < sample.size(); ++i) of_model[i] = losses(sample[i], h);
      if (std::all_of(of_model.begin(), of_model.end(), is_missing)) continue;
      seen.push_back(weak.mean);
      detail::fit_logistic(z, of_model, weak, seen.back());
    }
    const double count = static_cast<double>(seen.size()), total = count + options_.prior_models;
    detail::normal_prior out = weak;
    for (const auto& w : seen) {
      for (std::size_t j = 0; j < p; ++j) out.mean[j] += w[j] / total;
    }
    auto covariance = make_matrix<double>(p, p, 0.0);
    for (std::size_t j = 0; j < p; ++j) {
      covariance(j, j) = options_.prior_models / total * (j == 0 ? 4 : 1);
      for (const auto& w : seen) {
        for (std::size_t k = 0; k < p; ++k) covariance(j, k) += (w[j] - out.mean[j]) * (w[k] - out.mean[k]) / total;
      }
    }
    const auto factor = detail::cholesky::factor(std::move(covariance));
    if (!factor) return weak;  // cannot be: the covariance has at least prior_models / total on its diagonal
    out.precision.fill(0);
    for (std::size_t j = 0; j < p; ++j) out.precision(j, j) = 1;
    factor->solve({out.precision.data(), out.precision.size()}, p);
    return out;
  }

  logistic_regression_options options_;
  detail::normal_prior prior_;
  std::size_t dimension_ = 0;
  embedding_matrix sample_ = make_matrix<float>(0, 0);
  detail::roster roster_;
  matrix<double> weights_ = make_matrix<double>(0, 0);
};

static_assert(pool_adaptive<logistic_regression>);

}  // namespace uniroute
