#pragma once

// A supervised space: the directions of the embedding along which the seen LLMs differ.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/outcome_columns.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/affine_map.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/numeric/ridge_path.hpp>
#include <uniroute/outcome_target.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How many directions `skills` keeps, and with which ridge it learns them.
struct skills_options {
  std::size_t directions = 6;  ///< kept at most, at least 1; never more than there are seen LLMs or columns
  /// Ridge strength as a multiple of the mean eigenvalue of the training scatter matrix. Not given: by generalised
  /// cross-validation over a grid of powers of two.
  std::optional<double> strength = {};
  outcome_target target = outcome_target::contrasts;  ///< what is regressed

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("directions", of.directions);
    visit("strength", of.strength);
    visit("target", of.target);
  }
};

/// x → Vᵀ Wᵀ (x - mean): W (D x seen) is the ridge regression of the seen LLMs' losses on the embedding over the
/// training prompts, (XᵀX + s I)⁻¹ Xᵀ L with X centred on the prompts where the LLM was observed, and V (seen x d) has
/// the leading right singular directions of the predictions X W. Their relative sizes stay, the total variance on the
/// training prompts is 1: a difference that many LLMs show counts more in any distance.
///
/// The strength minimises generalised cross-validation (Golub, Heath and Wahba 1979) summed over LLMs; where LLMs were
/// observed on different prompts, over the four patterns with the most outcomes. `fit` is O(n D² + D³) for complete
/// outcomes, that much for each further pattern.
/// Where the outcomes hold no signal at all (each LLM's are constant), or directions cannot be told apart from
/// rounding, there is nothing to learn: the leading principal components of the embedding take their place, and
/// `supervised()` is false. Without any observed outcome `fit` refuses. Const members are thread-safe.
class skills {
 public:
  static constexpr bool learns_from_outcomes = true;

  /// Throws std::invalid_argument for zero directions or a strength that is not positive and finite.
  explicit skills(skills_options options = {}) : options_(options) {
    detail::require(options.directions >= 1, "skills: directions is 0, but must be at least 1");
    const double s = options.strength.value_or(1);
    detail::require(s > 0 && std::isfinite(s), "skills: strength is ", s, ", but must be positive and finite");
  }

  /// Throws std::invalid_argument for shapes or no observed outcome, std::domain_error for values, std::runtime_error
  /// if LAPACK does not converge.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("skills::fit", x, losses);
    const loss_matrix targets = detail::targets_of(options_.target, losses);
    const auto groups = detail::group_columns(targets);
    detail::require(!groups.empty(), "skills::fit: losses has no observed outcome of ", columns(losses),
                    " models, but must have one: skills are learned from seen LLMs");
    std::vector<double> mean = detail::mean_of_rows(x);
    const embedding_matrix centred = detail::centre(x, mean);
    const matrix<double> everywhere = detail::scatter(centred);
    double level = 0;  // the mean eigenvalue
    for (std::size_t j = 0; j < columns(x); ++j) level += everywhere(j, j) / static_cast<double>(columns(x));
    std::vector<detail::ridge_path> paths;
    for (const auto& group : groups) {
      paths.push_back(regress(centred, everywhere, targets, group));
      detail::require<std::runtime_error>(paths.back().converged(), "skills::fit: the eigenvalues did not converge");
    }
    const double strength = options_.strength.value_or(best_strength(paths, level));
    auto regression = make_matrix<double>(columns(targets), columns(x), 0.0);  // Wᵀ
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const matrix<double> w = paths[g].coefficients(strength * level);
      for (std::size_t c = 0; c < rows(w); ++c) {
        const auto from = row(w, c);
        std::copy(from.begin(), from.end(), row(regression, groups[g].columns[c]).begin());
      }
    }
    std::optional<matrix<double>> weights = leading_directions(regression, everywhere, rows(x));
    const bool found = weights.has_value();
    if (!found) weights = principal_components(everywhere, rows(x));
    map_ = detail::affine_map(std::move(mean), std::move(*weights));
    supervised_ = found;
    strength_ = strength;
  }

  std::size_t dimension() const noexcept { return map_.dimension(); }              ///< d; 0 before fit
  std::size_t input_dimension() const noexcept { return map_.input_dimension(); }  ///< D; 0 before fit
  bool supervised() const noexcept { return supervised_; }  ///< whether the outcomes held any signal
  double strength() const noexcept { return strength_; }    ///< chosen or given; 0 before fit
  const skills_options& options() const noexcept { return options_; }

  /// n x d. Throws not_fitted, std::invalid_argument, std::domain_error.
  embedding_matrix apply(const embedding_matrix& x) const {
    detail::check_input("skills::apply", x, input_dimension());
    return map_.apply(x);
  }
  /// Unchecked in release; allocates nothing after the first call on a thread.
  void apply(embedding_view x, std::span<float> out) const { map_.apply(x, out); }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      skills(next.options_);
      next.map_.check_loaded();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    detail::affine_map::members(of.map_, visit);
    visit("options", of.options_);
    visit("supervised", of.supervised_);
    visit("strength", of.strength_);
  }

 private:
  /// The regressions of LLMs that were observed on the same prompts, about their means on those.
  static detail::ridge_path regress(const embedding_matrix& centred, const matrix<double>& everywhere,
                                    const loss_matrix& targets, const detail::column_group& group) {
    const matrix<double> y = detail::centred_targets(targets, group);
    if (group.rows.size() == rows(centred)) return {centred, everywhere, y};
    const embedding_matrix observed = take_rows(centred, std::span<const std::size_t>(group.rows));
    const embedding_matrix x = detail::centre(observed, detail::mean_of_rows(observed));
    return {x, detail::scatter(x), y};
  }

  /// The first of the best multiples of the mean eigenvalue, 2^-6 … 2^12.
  static double best_strength(const std::vector<detail::ridge_path>& paths, double level) {
    double best = 1, best_score = std::numeric_limits<double>::infinity();
    for (int power = -6; power <= 12; ++power) {
      double score = 0;
      for (std::size_t g = 0; g < std::min<std::size_t>(paths.size(), 4); ++g) {
        for (const double of_target : paths[g].generalised_cross_validation(std::ldexp(level, power)))
          score += of_target;
      }
      if (score < best_score) {
        best_score = score;
        best = std::ldexp(1.0, power);
      }
    }
    return best;
  }

  /// Wᵀ (seen x D) → W V over the root of the total variance kept (D x d); empty if the predictions do not vary.
  std::optional<matrix<double>> leading_directions(const matrix<double>& regression, const matrix<double>& scatter,
                                                   std::size_t prompts) const {
    const std::size_t m = rows(regression), dim = columns(regression);
    auto half = make_matrix<double>(m, dim), covariance = make_matrix<double>(m, m);
    detail::gemm<double>(detail::op::as_is, detail::op::as_is, m, dim, dim, 1, regression.data(), dim, scatter.data(),
                         dim, 0, half.data(), dim);
    detail::gemm<double>(detail::op::as_is, detail::op::transposed, m, m, dim, 1, half.data(), dim, regression.data(),
                         dim, 0, covariance.data(), m);
    for (double& v : covariance) v /= static_cast<double>(prompts);
    const auto eigen = detail::eigen_decomposition(covariance);
    detail::require<std::runtime_error>(eigen.has_value(), "skills::fit: the eigenvalue problem did not converge");
    // Losses are in [0, 1]: predictions that vary by less than 1e-8 are rounding.
    std::size_t d = 0;
    double total = 0;
    while (d < std::min(options_.directions, m) && eigen->values[d] > std::max(1e-16, 1e-10 * eigen->values[0]))
      total += eigen->values[d++];
    if (d == 0) return std::nullopt;
    auto out = make_matrix<double>(dim, d, 0.0);
    for (std::size_t h = 0; h < m; ++h) {
      for (std::size_t j = 0; j < dim; ++j) {
        for (std::size_t k = 0; k < d; ++k) out(j, k) += eigen->vectors(k, h) * regression(h, j) / std::sqrt(total);
      }
    }
    return out;
  }

  /// The fallback: leading eigenvectors of the scatter matrix, total variance 1 (0 if the prompts are all the same).
  matrix<double> principal_components(const matrix<double>& scatter, std::size_t prompts) const {
    const auto eigen = detail::eigen_decomposition(scatter);
    detail::require<std::runtime_error>(eigen.has_value(), "skills::fit: the eigenvalue problem did not converge");
    const std::size_t d = std::min(options_.directions, rows(scatter));
    double total = 0;
    for (std::size_t k = 0; k < d; ++k) total += std::max(eigen->values[k], 0.0) / static_cast<double>(prompts);
    auto out = make_matrix<double>(rows(scatter), d, 0.0);
    for (std::size_t j = 0; total > 0 && j < rows(out); ++j) {
      for (std::size_t k = 0; k < d; ++k) out(j, k) = eigen->vectors(k, j) / std::sqrt(total);
    }
    return out;
  }

  skills_options options_;
  bool supervised_ = false;
  double strength_ = 0;
  detail::affine_map map_;
};

static_assert(embedding_transform<skills>);

}  // namespace uniroute
