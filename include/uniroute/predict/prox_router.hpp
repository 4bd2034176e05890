#pragma once

// ProxRouter: means weighted by sample size and tilted towards what is near, in its cell and its neighbour form.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/cell_blend.hpp>
#include <uniroute/concepts/neighbour_weighting.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/bandwidth.hpp>
#include <uniroute/predict/blended_cells.hpp>
#include <uniroute/predict/knn.hpp>
#include <utility>

namespace uniroute {

/// How fast the weight of cells and neighbours falls with distance.
struct tilt_options {
  /// τ: squared distance over which a weight falls by a factor e. Not given: `relative_bandwidth` times the mean over
  /// the training prompts of the squared distance to the nearest centroid.
  std::optional<double> bandwidth = {};
  double relative_bandwidth = 0.5;  ///< better than .25 for the seen LLMs of two real tables, treated as new

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("bandwidth", of.bandwidth);
    visit("relative_bandwidth", of.relative_bandwidth);
  }
};

namespace detail {

/// exp(−d / τ) of squared distances d, times whatever makes the nearest 1.
class distance_tilt {
 public:
  double bandwidth() const noexcept { return bandwidth_; }  ///< τ, squared distance; 0 before it was set

  void weigh(std::span<double> distances) const noexcept {
    const double least = *std::min_element(distances.begin(), distances.end());
    for (double& d : distances) d = std::exp((least - d) / bandwidth_);
  }

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      check_bandwidth("state", next.options_.bandwidth, next.options_.relative_bandwidth);
      detail::require_state(next.bandwidth_ >= 0 && std::isfinite(next.bandwidth_),
                            "bandwidth must be finite and at least 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("bandwidth", of.bandwidth_);
  }

 protected:
  distance_tilt(std::string_view owner, tilt_options options) : options_(options) {
    check_bandwidth(owner, options.bandwidth, options.relative_bandwidth);
  }

  tilt_options options_;
  double bandwidth_ = 0;
};

}  // namespace detail

/// w_k ∝ n_k exp(−|x − c_k|² / τ), over all cells.
///
/// Theirs (Patel, Jali, Mallick and Joshi 2025, *ProxRouter*, arXiv 2510.09852): w ∝ p exp(−φ / τ), with the prior p of
/// least variance, which is n_k for cell means of equally noisy outcomes, and a distance φ. Ours: φ is the squared
/// Euclidean distance (for unit embeddings twice the cosine distance, so only τ's scale differs); n_k counts the LLM's
/// own observed outcomes, so that missing ones are right; τ follows from the prompts where it is not given.
class exponential_tilt : public detail::distance_tilt {
 public:
  /// Throws std::invalid_argument unless every bandwidth given is finite and above 0.
  explicit exponential_tilt(tilt_options options = {}) : distance_tilt("exponential_tilt", options) {}

  void fit(const embedding_matrix& centroids, const embedding_matrix& x) {
    bandwidth_ = options_.bandwidth
                     ? *options_.bandwidth
                     : detail::nearest_bandwidth(x, detail::centroid_table(centroids), options_.relative_bandwidth);
  }

  double prior(double count) const noexcept { return count; }
};

static_assert(cell_blend<exponential_tilt>);

/// ProxRouter over K-means cells.
template <class Clustering = kmeans<>>
using prox_cells = blended_cells<Clustering, exponential_tilt>;

/// w_j ∝ exp(−|x − x_j|² / τ) over the k nearest validation prompts: the same tilt of K-NN's prior, which is equal on
/// the k nearest and 0 elsewhere. Not given, τ is `relative_bandwidth` times the mean over (at most 1,000 of) the
/// validation prompts of the squared distance to the nearest other one; that rule is ours.
class tilted_neighbours : public detail::distance_tilt {
 public:
  /// Throws std::invalid_argument unless every bandwidth given is finite and above 0.
  explicit tilted_neighbours(tilt_options options = {}) : distance_tilt("tilted_neighbours", options) {}

  void fit(const embedding_matrix& sample) {
    bandwidth_ =
        options_.bandwidth ? *options_.bandwidth : detail::neighbour_bandwidth(sample, options_.relative_bandwidth);
  }
};

static_assert(neighbour_weighting<tilted_neighbours>);

/// ProxRouter over the nearest validation prompts.
using prox_neighbours = basic_knn<tilted_neighbours>;

static_assert(pool_adaptive<prox_cells<>> && pool_adaptive<prox_neighbours>);

}  // namespace uniroute
