#pragma once

// Avengers-Pro: the nearest few cells, weighted by a softmax of similarity.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/cell_blend.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/predict/blended_cells.hpp>
#include <vector>

namespace uniroute {

/// How many cells `top_cells` asks, and how fast they lose weight.
struct top_cells_options {
  std::size_t cells = 4;         ///< p, at least 1; more than there are means all of them
  double bandwidth = 2.0 / 9.0;  ///< squared distance over which a weight falls by a factor e, above 0

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("cells", of.cells);
    visit("bandwidth", of.bandwidth);
  }
};

/// w_k ∝ exp(−|x − c_k|² / bandwidth) on the p nearest cells, 0 elsewhere; ties go to the lower cell. Cells in which
/// the LLM has no outcome are left out.
///
/// Theirs (Zhang et al. 2025, *Beyond GPT-5*, arXiv 2508.12631, and their code): K-means with K = 60, the p = 4 nearest
/// cells, a softmax of −9 × the cosine distance (for unit embeddings and centroids half the squared distance, hence
/// 2/9), and the score α p̃ + (1 − α)(1 − q̃) of mean accuracy and cost, each scaled to [0, 1] within the cell. Ours: the
/// prediction is the loss alone, so that any rule can weigh it against cost, and it is not scaled within the cell,
/// because an LLM's prediction would then change with those that join or leave.
class top_cells {
 public:
  /// Throws std::invalid_argument for zero cells and unless the bandwidth is finite and above 0.
  explicit top_cells(top_cells_options options = {}) : options_(options) {
    detail::require(options.cells >= 1, "top_cells: cells is 0, but must be at least 1");
    detail::require(options.bandwidth > 0 && std::isfinite(options.bandwidth), "top_cells: bandwidth is ",
                    options.bandwidth, ", but must be finite and above 0");
  }

  void fit(const embedding_matrix&, const embedding_matrix&) noexcept {}

  void weigh(std::span<double> distances) const {
    thread_local std::vector<double> nearest;
    nearest.assign(distances.begin(), distances.end());
    const std::size_t places = std::min(options_.cells, nearest.size());
    std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(places), nearest.end());
    const double least = nearest.front(), last = nearest[places - 1];
    auto ties = std::count(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(places), last);
    for (double& d : distances) {
      const bool taken = d < last || (d == last && ties-- > 0);
      d = taken ? std::exp((least - d) / options_.bandwidth) : 0;
    }
  }

  double prior(double count) const noexcept { return count > 0 ? 1 : 0; }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { top_cells(next.options_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("options", of.options_); }

 private:
  top_cells_options options_;
};

static_assert(cell_blend<top_cells>);

/// Avengers-Pro's prediction; take `avengers{kmeans{{.clusters = 60}}}` for theirs.
using avengers = blended_cells<kmeans<>, top_cells>;

static_assert(pool_adaptive<avengers>);

}  // namespace uniroute
