#pragma once

// Soft memberships: a softmax of negative squared distances to the centroids.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/bandwidth.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/numeric/softmax_cells.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How fast memberships of `proximity_map` fall with distance.
struct proximity_map_options {
  /// Squared distance over which a membership falls by a factor e. Not given: `relative_bandwidth` times the mean over
  /// the training prompts of the squared distance to the nearest centroid.
  std::optional<double> bandwidth = {};
  double relative_bandwidth = 0.25;

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("bandwidth", of.bandwidth);
    visit("relative_bandwidth", of.relative_bandwidth);
  }
};

/// Φ_k(x) ∝ exp(-|x - c_k|² / bandwidth): the posterior of equal-weight spherical Gaussians at the centroids (Bishop
/// 2006, section 9.3.2), nearest_map in the limit of a narrow bandwidth. Const members are thread-safe.
class proximity_map {
 public:
  using membership_type = soft_membership;

  /// Throws std::invalid_argument unless every bandwidth given is finite and above 0.
  explicit proximity_map(proximity_map_options options = {}) : options_(options) {
    detail::check_bandwidth("proximity_map", options.bandwidth, options.relative_bandwidth);
  }

  void fit(const map_training_set& training) {
    detail::require(rows(training.centroids) >= 1,
                    "proximity_map::fit: centroids has 0 rows, but must have at least 1");
    detail::centroid_table table(training.centroids);
    const double bandwidth = options_.bandwidth
                                 ? *options_.bandwidth
                                 : detail::nearest_bandwidth(training.embeddings, table, options_.relative_bandwidth);
    table_ = std::move(table);
    bandwidth_ = bandwidth;
  }

  std::size_t size() const noexcept { return table_.size(); }            ///< K; 0 before fit
  std::size_t dimension() const noexcept { return table_.dimension(); }  ///< D; 0 before fit
  double bandwidth() const noexcept { return bandwidth_; }               ///< squared distance; 0 before fit

  /// Φ of each row of x, n x K, in float64 throughout.
  membership_matrix memberships(const embedding_matrix& x) const {
    return detail::softmax_cells(x, table_.centroids, detail::squared_norms(table_.centroids), bandwidth_);
  }

  /// Φ(x) of one embedding into out (K values), in float64 throughout. Allocates nothing.
  void membership(embedding_view x, std::span<double> out) const {
    for (std::size_t k = 0; k < size(); ++k) {
      out[k] = detail::squared_distance(x.data(), row(table_.centroids, k).data(), table_.dimension());
    }
    detail::softmax_of_scores(out.first(size()), bandwidth_);
  }

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      proximity_map(next.options_);
      detail::require_state(next.bandwidth_ >= 0 && std::isfinite(next.bandwidth_),
                            "bandwidth must be finite and at least 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("centroids", of.table_);
    visit("bandwidth", of.bandwidth_);
  }

 private:
  proximity_map_options options_;
  detail::centroid_table table_;
  double bandwidth_ = 0;
};

static_assert(cluster_map<proximity_map>);

}  // namespace uniroute
