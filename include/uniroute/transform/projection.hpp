#pragma once

// Linear projection: onto the leading principal components, or by a matrix that is given.

#include <cassert>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/affine_map.hpp>
#include <uniroute/numeric/lapack.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How many directions a `projection` keeps, and at which scale.
struct projection_options {
  std::size_t dimension = 64;  ///< d, at least 1; at most D
  bool whiten = false;         ///< every component to unit variance on the training prompts

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("dimension", of.dimension);
    visit("whiten", of.whiten);
  }
};

/// x → Aᵀ (x - mean), mean and A from the training prompts: A has the leading eigenvectors of their covariance, each
/// over the square root of its eigenvalue if whitened (components of no variance become 0). Or A as given, with mean 0
/// unless given too. Reads no outcome. `fit` is O(n D² + D³). Const members are thread-safe.
class projection {
 public:
  static constexpr bool learns_from_outcomes = false;

  /// Throws std::invalid_argument for dimension 0.
  explicit projection(projection_options options = {}) : options_(options) {
    detail::require(options.dimension >= 1, "projection: dimension is 0, but must be at least 1");
  }

  /// By `weights` (D x d), about `mean` (D values, or none for 0). Needs no fit; `fit` then only checks.
  /// Throws std::invalid_argument for shapes, std::domain_error for values.
  static projection given(const matrix<double>& weights, std::vector<double> mean = {}) {
    detail::require(rows(weights) >= 1 && columns(weights) >= 1, "projection::given: weights is ", rows(weights), " x ",
                    columns(weights), ", but must be at least 1 x 1");
    if (mean.empty()) mean.assign(rows(weights), 0.0);
    detail::require(mean.size() == rows(weights), "projection::given: mean has ", mean.size(),
                    " values, but weights has ", rows(weights), " rows");
    detail::check_finite("projection::given", "weights", weights);
    for (std::size_t j = 0; j < mean.size(); ++j)
      detail::require<std::domain_error>(std::isfinite(mean[j]), "projection::given: mean[", j, "] is ", mean[j],
                                         ", but must be finite");
    projection out({.dimension = columns(weights)});
    out.given_ = true;
    out.map_ = detail::affine_map(std::move(mean), weights);
    return out;
  }

  /// Throws std::invalid_argument for shapes or fewer columns than dimension, std::domain_error for values,
  /// std::runtime_error if LAPACK does not converge.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("projection::fit", x, losses);
    const std::size_t dim = columns(x), d = options_.dimension;
    if (given_) {
      detail::require(dim == map_.input_dimension(), "projection::fit: embeddings has ", dim,
                      " columns, but must have ", map_.input_dimension());
      return;
    }
    detail::require(d <= dim, "projection::fit: embeddings has ", dim, " columns, but must have at least dimension, ",
                    d);
    std::vector<double> mean = detail::mean_of_rows(x);
    const auto eigen = detail::eigen_decomposition(detail::scatter(detail::centre(x, mean)));
    detail::require<std::runtime_error>(eigen.has_value(), "projection::fit: the eigenvalue problem did not converge");
    auto weights = make_matrix<double>(dim, d);
    for (std::size_t k = 0; k < d; ++k) {
      double scale = 1;
      if (options_.whiten) {
        const double variance = eigen->values[k] / static_cast<double>(rows(x));
        scale = eigen->values[k] > 1e-12 * eigen->values[0] ? 1 / std::sqrt(variance) : 0;
      }
      for (std::size_t j = 0; j < dim; ++j) weights(j, k) = scale * eigen->vectors(k, j);
    }
    map_ = detail::affine_map(std::move(mean), std::move(weights));
  }

  std::size_t dimension() const noexcept { return map_.dimension(); }              ///< d; 0 before fit
  std::size_t input_dimension() const noexcept { return map_.input_dimension(); }  ///< D; 0 before fit
  const projection_options& options() const noexcept { return options_; }

  /// n x d. Throws not_fitted, std::invalid_argument, std::domain_error.
  embedding_matrix apply(const embedding_matrix& x) const {
    detail::check_input("projection::apply", x, input_dimension());
    return map_.apply(x);
  }
  /// Unchecked in release; allocates nothing after the first call on a thread.
  void apply(embedding_view x, std::span<float> out) const { map_.apply(x, out); }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      projection(next.options_);
      next.map_.check_loaded();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    detail::affine_map::members(of.map_, visit);
    visit("given", of.given_);
    visit("options", of.options_);
  }

 private:
  projection_options options_;
  bool given_ = false;
  detail::affine_map map_;
};

static_assert(embedding_transform<projection>);

}  // namespace uniroute
