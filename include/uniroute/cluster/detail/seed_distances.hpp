#pragma once

// The squared distance of every row to the nearest seed so far, and draws in proportion to it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute::detail {

/// Distances are of float32, from a GEMM; those near its rounding error are recomputed in float64, so that rows equal
/// to a seed are at 0.
class seed_distances {
 public:
  seed_distances(const embedding_matrix& x, std::size_t threads)
      : x_(x),
        threads_(threads),
        norms_(rows(x)),
        distances_(rows(x), std::numeric_limits<float>::infinity()),
        tile_sums_(tile_count(rows(x))),
        scratch_(thread_count(threads)) {
    parallel_for(tile_sums_.size(), threads_, [&](std::size_t tile, std::size_t) {
      for (std::size_t i = tile * tile_rows; i < std::min(rows(x), (tile + 1) * tile_rows); ++i)
        norms_[i] = dot(row(x, i).data(), row(x, i).data(), columns(x));
    });
  }

  /// Takes rows of x as seeds.
  void add(std::span<const std::size_t> seeds) {
    for (constexpr std::size_t block = 512; !seeds.empty(); seeds = seeds.subspan(std::min(block, seeds.size())))
      add_block(seeds.first(std::min(block, seeds.size())));
    total_ = std::accumulate(tile_sums_.begin(), tile_sums_.end(), 0.0);
  }

  double total() const noexcept { return total_; }
  float operator[](std::size_t i) const noexcept { return distances_[i]; }

  /// A row with probability proportional to its distance. total() must be above 0.
  std::size_t draw(random_engine& engine) const noexcept {
    double left = engine.uniform() * total_;
    std::size_t tile = 0, last = 0;
    for (; tile < tile_sums_.size(); ++tile) {
      if (tile_sums_[tile] > 0) last = tile;
      if (left < tile_sums_[tile]) break;
      left -= tile_sums_[tile];
    }
    if (tile == tile_sums_.size()) tile = last;  // rounding
    std::size_t chosen = 0;
    for (std::size_t i = tile * tile_rows; i < std::min(distances_.size(), (tile + 1) * tile_rows); ++i) {
      if (distances_[i] > 0) chosen = i;
      left -= static_cast<double>(distances_[i]);
      if (left < 0) break;
    }
    return chosen;
  }

 private:
  void add_block(std::span<const std::size_t> seeds) {
    const centroid_table table(take_rows(x_, seeds));
    const score_band band(table);
    const std::size_t n = rows(x_), d = columns(x_);
    parallel_for(tile_sums_.size(), threads_, [&](std::size_t tile, std::size_t worker) {
      const std::size_t first = tile * tile_rows;
      const std::size_t count = std::min(tile_rows, n - first);
      tile_scratch& work = scratch_[worker];
      score_tile(x_.data() + first * d, count, table, work);
      least_by_group(table, work);
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const float norm = norms_[first + i];
        const float unsure = 2 * band(norm);
        float distance = std::max(0.0F, norm + work.best[i]);
        if (distance <= unsure) [[unlikely]]
          distance = nearest_exactly(first + i, table, work.scores.data() + i, work.stride,
                                     std::max(unsure - norm, work.best[i]));
        distances_[first + i] = std::min(distances_[first + i], distance);
        sum += static_cast<double>(distances_[first + i]);
      }
      tile_sums_[tile] = sum;
    });
  }

  /// The least distance in float64 to the seeds whose score is at most `limit`.
  float nearest_exactly(std::size_t i, const centroid_table& table, const float* scores, std::size_t stride,
                        float limit) const noexcept {
    const std::uint32_t nearest = settle_near_tie(row(x_, i).data(), table, scores, stride, limit);
    return static_cast<float>(
        squared_distance(row(x_, i).data(), row(table.centroids, nearest).data(), table.dimension()));
  }

  const embedding_matrix& x_;
  std::size_t threads_;
  std::vector<float> norms_, distances_;
  std::vector<double> tile_sums_;
  std::vector<tile_scratch> scratch_;
  double total_ = 0;
};

}  // namespace uniroute::detail
