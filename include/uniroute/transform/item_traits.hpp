#pragma once

// Item response theory's view of prompts: difficulty and discrimination, predicted from the embedding.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/affine_map.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/numeric/logistic_newton.hpp>
#include <uniroute/numeric/ridge_path.hpp>
#include <uniroute/outcome_target.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Size of `item_traits`, and how long it is fitted.
struct item_traits_options {
  std::size_t abilities = 1;  ///< r, dimensions of ability, at least 1; at most the seen LLMs less one count (or 1)
  std::size_t rounds = 12;    ///< of the alternation, at least 1

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("abilities", of.abilities);
    visit("rounds", of.rounds);
  }
};

/// x → (b̂(x), â(x)), 1 + r values: P(h errs on prompt i) = σ(b_i - a_i · θ_h), with difficulty b_i and discriminations
/// a_i of the training prompts and abilities θ_h of the seen LLMs (Birnbaum's two-parameter model for r = 1, Reckase's
/// multidimensional one beyond), then a ridge regression of b and a on the embedding, each with its own strength by
/// generalised cross-validation.
///
/// The first part is the mode of the posterior with priors b ~ N(0, 4), a₁ ~ N(1, 1/4), other a ~ N(0, 1/4), θ ~ N(0,
/// I), by alternating Newton steps from a fixed start (each LLM's mean outcome and the leading eigenvectors of the
/// contrasts' covariance): deterministic, and every step is concave. Missing outcomes are left out. `fit` is O(rounds n
/// seen r² + n D² + D³). Columns are scaled to unit variance on the training prompts; a trait that does not vary with
/// the embedding is 0. Refuses outcomes none of which is observed. Const members are thread-safe.
class item_traits {
 public:
  static constexpr bool learns_from_outcomes = true;

  /// Throws std::invalid_argument for zero abilities or rounds.
  explicit item_traits(item_traits_options options = {}) : options_(options) {
    detail::require(options.abilities >= 1, "item_traits: abilities is 0, but must be at least 1");
    detail::require(options.rounds >= 1, "item_traits: rounds is 0, but must be at least 1");
  }

  /// Throws std::invalid_argument for shapes or no observed outcome, std::domain_error for values, std::runtime_error
  /// if LAPACK does not converge.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("item_traits::fit", x, losses);
    detail::require(!std::all_of(losses.begin(), losses.end(), is_missing),
                    "item_traits::fit: losses has no observed outcome of ", columns(losses),
                    " models, but must have one: traits are learned from seen LLMs");
    const matrix<double> traits = alternate(losses);  // (1 + r) x n
    std::vector<double> mean = detail::mean_of_rows(x);
    const embedding_matrix centred = detail::centre(x, mean);
    const std::size_t dim = columns(x), d = rows(traits);
    matrix<double> y = traits;
    for (std::size_t k = 0; k < d; ++k) {
      double sum = 0;
      for (const double v : row(traits, k)) sum += v / static_cast<double>(rows(x));
      for (double& v : row(y, k)) v -= sum;
    }
    const matrix<double> scatter = detail::scatter(centred);
    double level = 0;
    for (std::size_t j = 0; j < dim; ++j) level += scatter(j, j) / static_cast<double>(dim);
    const detail::ridge_path path(centred, scatter, y);
    std::vector<double> best(d, std::numeric_limits<double>::infinity());
    auto weights = make_matrix<double>(dim, d, 0.0);
    for (int power = -6; power <= 12 && level > 0; ++power) {
      const auto score = path.generalised_cross_validation(std::ldexp(level, power));
      if (std::none_of(score.begin(), score.end(), [&, k = std::size_t{0}](double s) mutable { return s < best[k++]; }))
        continue;
      const matrix<double> w = path.coefficients(std::ldexp(level, power));
      for (std::size_t k = 0; k < d; ++k) {
        if (!(score[k] < best[k])) continue;
        best[k] = score[k];
        for (std::size_t j = 0; j < dim; ++j) weights(j, k) = w(k, j);
      }
    }
    scale(weights, scatter, rows(x));
    map_ = detail::affine_map(std::move(mean), std::move(weights));
  }

  std::size_t dimension() const noexcept { return map_.dimension(); }              ///< 1 + r; 0 before fit
  std::size_t input_dimension() const noexcept { return map_.input_dimension(); }  ///< D; 0 before fit
  const item_traits_options& options() const noexcept { return options_; }

  /// n x (1 + r). Throws not_fitted, std::invalid_argument, std::domain_error.
  embedding_matrix apply(const embedding_matrix& x) const {
    detail::check_input("item_traits::apply", x, input_dimension());
    return map_.apply(x);
  }
  /// Unchecked in release; allocates nothing after the first call on a thread.
  void apply(embedding_view x, std::span<float> out) const { map_.apply(x, out); }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      item_traits(next.options_);
      next.map_.check_loaded();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    detail::affine_map::members(of.map_, visit);
    visit("options", of.options_);
  }

 private:
  /// Difficulties and discriminations of the training prompts, (1 + r) x n.
  matrix<double> alternate(const loss_matrix& losses) const {
    const std::size_t n = rows(losses), m = columns(losses);
    const std::size_t r = std::min(options_.abilities, std::max<std::size_t>(m, 2) - 1);
    matrix<double> ability = first_abilities(losses, r);  // m x r
    auto traits = make_matrix<double>(1 + r, n, 0.0);
    for (std::size_t i = 0; i < n; ++i) traits(1, i) = 1;
    detail::normal_prior of_prompts{std::vector<double>(1 + r, 0.0), make_matrix<double>(1 + r, 1 + r, 0.0)};
    of_prompts.mean[1] = 1;
    for (std::size_t k = 0; k <= r; ++k) of_prompts.precision(k, k) = k == 0 ? 0.25 : 4;
    detail::normal_prior of_models{std::vector<double>(r, 0.0), make_matrix<double>(r, r, 0.0)};
    for (std::size_t k = 0; k < r; ++k) of_models.precision(k, k) = 1;
    auto seen_by_prompt = make_matrix<double>(m, 1 + r), seen_by_model = make_matrix<double>(n, r);
    std::vector<double> w(1 + r), difficulty(n), step;
    // One step each, none longer than 1: the other side moves too.
    const auto improve = [&](const matrix<double>& z, std::span<const double> offsets, std::span<const double> of,
                             const detail::normal_prior& prior, std::span<double> at) {
      step.resize(at.size());
      if (!detail::newton_step(z, offsets, of, prior, at, step)) return;
      for (std::size_t k = 0; k < at.size(); ++k) at[k] += std::clamp(step[k], -1.0, 1.0);
    };
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      for (std::size_t h = 0; h < m; ++h) {
        seen_by_prompt(h, 0) = 1;
        for (std::size_t k = 0; k < r; ++k) seen_by_prompt(h, 1 + k) = -ability(h, k);
      }
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k <= r; ++k) w[k] = traits(k, i);
        improve(seen_by_prompt, {}, row(losses, i), of_prompts, w);
        for (std::size_t k = 0; k <= r; ++k) traits(k, i) = w[k];
      }
      for (std::size_t i = 0; i < n; ++i) {
        difficulty[i] = traits(0, i);
        for (std::size_t k = 0; k < r; ++k) seen_by_model(i, k) = -traits(1 + k, i);
      }
      for (std::size_t h = 0; h < m; ++h)
        improve(seen_by_model, difficulty, column(losses, h), of_models, row(ability, h));
    }
    return traits;
  }

  /// The logit of each LLM's mean quality, standardised; then eigenvectors of the contrasts' covariance, of unit size.
  static matrix<double> first_abilities(const loss_matrix& losses, std::size_t r) {
    const std::size_t n = rows(losses), m = columns(losses);
    auto out = make_matrix<double>(m, r, 0.0);
    double mean = 0;
    for (std::size_t h = 0; h < m; ++h) {
      double errors = 0.5, observed = 1;
      for (std::size_t i = 0; i < n; ++i) {
        if (is_missing(losses(i, h))) continue;
        errors += losses(i, h);
        observed += 1;
      }
      out(h, 0) = std::log((observed - errors) / errors);
      mean += out(h, 0) / static_cast<double>(m);
    }
    for (std::size_t h = 0; h < m; ++h) out(h, 0) -= mean;
    if (r == 1) return out;
    const loss_matrix contrast = detail::contrasts(losses);
    auto covariance = make_matrix<double>(m, m, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const auto c = row(contrast, i);
      for (std::size_t h = 0; h < m; ++h) {
        for (std::size_t g = 0; g <= h; ++g) {
          if (!is_missing(c[h]) && !is_missing(c[g])) covariance(h, g) += c[h] * c[g] / static_cast<double>(n);
        }
      }
    }
    const auto eigen = detail::eigen_decomposition(covariance);
    detail::require<std::runtime_error>(eigen.has_value(), "item_traits::fit: the eigenvalue problem did not converge");
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t k = 1; k < r; ++k) out(h, k) = std::sqrt(static_cast<double>(m)) * eigen->vectors(k - 1, h);
    }
    return out;
  }

  /// Unit variance on the training prompts; what varies by less than 1e-6 is rounding and becomes 0.
  static void scale(matrix<double>& weights, const matrix<double>& scatter, std::size_t prompts) {
    const std::size_t dim = rows(weights);
    for (std::size_t k = 0; k < columns(weights); ++k) {
      double variance = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < dim; ++j) sum += scatter(i, j) * weights(j, k);
        variance += weights(i, k) * sum / static_cast<double>(prompts);
      }
      const double factor = variance > 1e-12 ? 1 / std::sqrt(variance) : 0;
      for (std::size_t j = 0; j < dim; ++j) weights(j, k) *= factor;
    }
  }

  item_traits_options options_;
  detail::affine_map map_;
};

static_assert(embedding_transform<item_traits>);

}  // namespace uniroute
