#pragma once

// One Lloyd iteration: assignment fused with the sums of the new centroids, while the tile is in cache.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/nearest.hpp>
#include <uniroute/detail/parallel.hpp>
#include <vector>

namespace uniroute::detail {

/// Sums over a run of consecutive tiles. The number of lanes depends on n, K and D alone, and lanes are added in
/// order, so that bits do not depend on threads.
struct lloyd_lane {
  std::vector<double> sums;         ///< K x D
  std::vector<std::size_t> counts;  ///< K
  double inertia = 0;
  std::vector<float> dots;  ///< tile scratch
};

/// Scratch of a fit, allocated once.
struct lloyd_workspace {
  std::vector<lloyd_lane> lanes;
  label_vector labels;
  std::vector<float> distances;
  std::vector<float> norms;  ///< of the embeddings, squared

  lloyd_workspace(const embedding_matrix& x, std::size_t k) : labels(rows(x)), distances(rows(x)), norms(rows(x)) {
    const std::size_t n = rows(x);
    const std::size_t d = columns(x);
    for (std::size_t i = 0; i < n; ++i) norms[i] = dot(x.data() + i * d, x.data() + i * d, d);
    // At most 16 lanes, and at most 32 MB of sums: memory stays at the input plus a constant.
    const std::size_t by_memory = std::max<std::size_t>(1, (std::size_t{32} << 20) / (k * d * sizeof(double)));
    lanes.resize(std::clamp<std::size_t>(tile_count(n) / 4, 1, std::min<std::size_t>(16, by_memory)));
    for (auto& lane : lanes) {
      lane.sums.resize(k * d);
      lane.counts.resize(k);
      lane.dots.resize(tile_rows * k);
    }
  }
};

inline void lloyd_run(const embedding_matrix& x, const centroid_table& table, lloyd_workspace& work, lloyd_lane& lane,
                      std::size_t first_tile, std::size_t last_tile) noexcept {
  const std::size_t n = rows(x);
  const std::size_t d = columns(x);
  std::fill(lane.sums.begin(), lane.sums.end(), 0.0);
  std::fill(lane.counts.begin(), lane.counts.end(), std::size_t{0});
  lane.inertia = 0;
  for (std::size_t tile = first_tile; tile < last_tile; ++tile) {
    const std::size_t first = tile * tile_rows;
    const std::size_t count = std::min(tile_rows, n - first);
    const float* tile_x = x.data() + first * d;
    nearest_in_tile(tile_x, work.norms.data() + first, count, table, lane.dots.data(), work.labels.data() + first,
                    work.distances.data() + first);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t label = work.labels[first + i];
      double* sum = lane.sums.data() + label * d;
      const float* xi = tile_x + i * d;
      for (std::size_t j = 0; j < d; ++j) sum[j] += static_cast<double>(xi[j]);
      ++lane.counts[label];
      lane.inertia += static_cast<double>(work.distances[first + i]);
    }
  }
}

/// Assigns every row of x, and leaves sums, counts and inertia in work.lanes[0].
inline void lloyd_assign(const embedding_matrix& x, const centroid_table& table, lloyd_workspace& work,
                         std::size_t threads) {
  const std::size_t tiles = tile_count(rows(x));
  const std::size_t lanes = work.lanes.size();
  parallel_for(lanes, threads, [&](std::size_t lane, std::size_t) {
    lloyd_run(x, table, work, work.lanes[lane], tiles * lane / lanes, tiles * (lane + 1) / lanes);
  });
  lloyd_lane& total = work.lanes[0];
  for (std::size_t lane = 1; lane < lanes; ++lane) {
    for (std::size_t j = 0; j < total.sums.size(); ++j) total.sums[j] += work.lanes[lane].sums[j];
    for (std::size_t k = 0; k < total.counts.size(); ++k) total.counts[k] += work.lanes[lane].counts[k];
    total.inertia += work.lanes[lane].inertia;
  }
}

}  // namespace uniroute::detail
