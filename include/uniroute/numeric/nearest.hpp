#pragma once

// The nearest of K centroids for many embeddings: a tiled GEMM fused with the argmin, where near-ties are decided
// in float64. The answer is that of exact arithmetic up to float64 rounding, whatever the batch.

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/numeric/lanes.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <vector>

namespace uniroute::detail {

/// Rows of a tile: fixed, so that BLAS sees the same shapes on any number of threads; a tile of embeddings, its scores
/// and the centroids stay in a second-level cache of 1 MB.
inline constexpr std::size_t tile_rows = 256;

inline std::size_t tile_count(std::size_t n) noexcept { return (n + tile_rows - 1) / tile_rows; }

/// Centroids with what the score |c|² - 2 x·c needs.
struct centroid_table {
  embedding_matrix centroids = make_matrix<float>(0, 0);
  std::vector<float> squared_norms;
  double largest_norm = 0;

  centroid_table() = default;
  explicit centroid_table(embedding_matrix values) : centroids(std::move(values)) { refresh(); }

  /// Recomputes the norms after `centroids` was written to.
  void refresh() {
    squared_norms.resize(rows(centroids));
    double largest = 0;
    for (std::size_t k = 0; k < rows(centroids); ++k) {
      const double norm = squared_norm(row(centroids, k).data(), columns(centroids));
      squared_norms[k] = static_cast<float>(norm);
      largest = std::max(largest, norm);
    }
    largest_norm = std::sqrt(largest);
  }

  std::size_t size() const noexcept { return rows(centroids); }
  std::size_t dimension() const noexcept { return columns(centroids); }
};

/// What a tile needs beside its embeddings. Scores lie centroid by centroid (K x stride), so that the search for the
/// least runs along the tile.
struct tile_scratch {
  std::vector<float> scores;
  std::size_t stride = 0;                      ///< the tile's rows, rounded up to whole lanes
  std::array<float, tile_rows> best;           ///< the least score of the row
  std::array<float, tile_rows> second;         ///< the least of another group of eight centroids
  std::array<std::uint32_t, tile_rows> group;  ///< the first centroid of the group that has the least
};

/// scores[k * stride + i] = -2 c_k · x_i for `count` rows of x. The factor -2 is exact in any order of summation.
inline void score_tile(const float* x, std::size_t count, const centroid_table& table, tile_scratch& work) {
  const std::size_t d = table.dimension();
  assert(count <= tile_rows);
  work.stride = (count + lane_count - 1) / lane_count * lane_count;
  work.scores.resize(std::max(work.scores.size(), table.size() * work.stride));
  gemm_nt(table.size(), count, d, -2, table.centroids.data(), d, x, d, 0, work.scores.data(), work.stride);
}

/// Fills best, second and group: centroids in groups of eight, whose least is found without a branch. What lanes beyond
/// the tile's rows hold does not matter.
inline void least_by_group(const centroid_table& table, tile_scratch& work) noexcept {
  constexpr std::size_t group_size = 8;
  const std::size_t stride = work.stride;
  std::fill_n(work.best.data(), stride, std::numeric_limits<float>::infinity());
  std::fill_n(work.second.data(), stride, std::numeric_limits<float>::infinity());
  std::fill_n(work.group.data(), stride, 0U);
  for (std::size_t k = 0; k < table.size();) {
    const bool whole = k + group_size <= table.size();
    const std::size_t size = whole ? group_size : 1;
    const float* const scores = work.scores.data() + k * stride;
    const float* const norms = table.squared_norms.data() + k;
    const index_lanes first = static_cast<std::uint32_t>(k) - index_lanes{};
    for (std::size_t i = 0; i < stride; i += lane_count) {
      float_lanes least = norms[0] + lanes(scores + i).at;
      const auto lower = [&](std::size_t c) {
        const float_lanes score = norms[c] + lanes(scores + i + c * stride).at;
        least = score < least ? score : least;
      };
      if (whole) {
        for (std::size_t c = 1; c < group_size; ++c) lower(c);
      }
      auto &best = lanes(work.best.data() + i), &second = lanes(work.second.data() + i);
      auto& group = lanes(work.group.data() + i);
      const float_lanes least_before = best.at, second_before = second.at;
      const index_lanes group_before = group.at;
      const auto nearer = least < least_before;
      const float_lanes other = nearer ? least_before : least;
      second.at = other < second_before ? other : second_before;
      best.at = nearer ? least : least_before;
      group.at = nearer ? first : group_before;
    }
    k += size;
  }
}

/// Decides among the centroids whose score, scores[k * stride], is at most `limit`, in float64; ties go to the lower
/// index.
inline std::uint32_t settle_near_tie(const float* x, const centroid_table& table, const float* scores,
                                     std::size_t stride, float limit) noexcept {
  double least = std::numeric_limits<double>::infinity();
  std::uint32_t winner = 0;
  for (std::size_t k = 0; k < table.size(); ++k) {
    if (table.squared_norms[k] + scores[k * stride] > limit) continue;
    const double distance = squared_distance(x, row(table.centroids, k).data(), table.dimension());
    if (distance < least) {
      least = distance;
      winner = static_cast<std::uint32_t>(k);
    }
  }
  return winner;
}

/// Twice the error of the scores of a row: what is further than this above the least cannot be the nearest. It grows
/// with the least norm of the row: a + b |x|. (Rounding `best + band` to float32 is within score_error's slack.)
struct score_band {
  float a, b;

  explicit score_band(const centroid_table& table) noexcept
      : a(static_cast<float>(2 * score_error(table.dimension(), 0, table.largest_norm))),
        b(static_cast<float>(2 * (score_error(table.dimension(), 1, table.largest_norm) -
                                  score_error(table.dimension(), 0, table.largest_norm)))) {}

  float operator()(float squared_norm_of_row) const noexcept { return a + b * std::sqrt(squared_norm_of_row); }
};

/// Calls found(i, label, best, second) for `count` rows of x (row stride D), whose squared norms are given: the label
/// is that of exact arithmetic up to float64 rounding; `best` and `second` are the two least scores, which may be
/// equal.
template <class Found>
void nearest_in_tile(const float* x, const float* norms, std::size_t count, const centroid_table& table,
                     tile_scratch& work, Found&& found) {
  const std::size_t d = table.dimension();
  const std::size_t size = table.size();
  score_tile(x, count, table, work);
  least_by_group(table, work);
  const score_band band(table);
  for (std::size_t i = 0; i < count; ++i) {
    const float best = work.best[i];
    const float limit = best + band(norms[i]);
    // The group of the least: which one it is, whether another is as near, and the least of the others.
    const std::size_t first = work.group[i];
    const std::size_t last = first % 8 == 0 && first + 8 <= size ? first + 8 : first + 1;
    std::uint32_t index = 0, hits = 0;
    float second = work.second[i];
    for (std::size_t k = first; k < last; ++k) {
      const float score = table.squared_norms[k] + work.scores[k * work.stride + i];
      const bool near = score <= limit;
      index = near ? static_cast<std::uint32_t>(k) : index;
      hits += near ? 1 : 0;
      second = score > best && score < second ? score : second;
    }
    if (hits != 1 || second <= limit) [[unlikely]] {
      index = settle_near_tie(x + i * d, table, work.scores.data() + i, work.stride, limit);
      second = best;
    }
    found(i, index, best, second);
  }
}

/// The nearest centroid of each row of x. Bits do not depend on `threads` (0: all). `finite`, if given, is set to false
/// unless norms show that every value of x is usable: a check that costs no pass of its own. Without it, throws
/// std::domain_error for values that are not.
inline label_vector nearest(const embedding_matrix& x, const centroid_table& table, std::size_t threads = 1,
                            bool* finite = nullptr) {
  const std::size_t n = rows(x);
  label_vector labels(n);
  const std::size_t d = columns(x);
  const std::size_t size = tile_rows;
  const std::size_t tiles = (n + size - 1) / size;
  std::vector<tile_scratch> scratch(std::min(thread_count(threads), std::max<std::size_t>(1, tiles)));
  std::atomic<bool> overflow{false};
  parallel_for(tiles, threads, [&](std::size_t tile, std::size_t worker) {
    const std::size_t first = tile * size;
    const std::size_t count = std::min(size, n - first);
    const float* tile_x = x.data() + first * d;
    std::array<float, tile_rows> norms;
    bool sound = true;
    for (std::size_t i = 0; i < count; ++i) {
      norms[i] = dot(tile_x + i * d, tile_x + i * d, d);
      sound = sound && norms[i] <= largest_embedding * largest_embedding;  // NaN is not
    }
    if (!sound) overflow = true;
    nearest_in_tile(tile_x, norms.data(), count, table, scratch[worker],
                    [&](std::size_t i, std::uint32_t label, float, float) { labels[first + i] = label; });
  });
  if (finite != nullptr) {
    *finite = !overflow;
  } else if (overflow) {
    check_finite("assign", "embeddings", x);
  }
  return labels;
}

/// The nearest centroid of one embedding; the same choice as `nearest` makes. Allocates nothing after the first
/// call on a thread.
inline std::uint32_t nearest_one(embedding_view x, const centroid_table& table) {
  const std::size_t d = table.dimension();
  const std::size_t size = table.size();
  thread_local std::vector<float> scores;
  if (scores.size() < size) scores.resize(size);
  float best = std::numeric_limits<float>::infinity();
  for (std::size_t k = 0; k < size; ++k) {
    scores[k] = -2 * dot(x.data(), table.centroids.data() + k * d, d);
    best = std::min(best, table.squared_norms[k] + scores[k]);
  }
  const float limit = best + score_band(table)(dot(x.data(), x.data(), d));
  std::uint32_t hits = 0, index = 0;
  for (std::size_t k = 0; k < size; ++k) {
    const bool near = table.squared_norms[k] + scores[k] <= limit;
    hits += near ? 1U : 0U;
    index += near ? static_cast<std::uint32_t>(k) : 0U;  // of one hit
  }
  return hits == 1 ? index : settle_near_tie(x.data(), table, scores.data(), 1, limit);
}

}  // namespace uniroute::detail
