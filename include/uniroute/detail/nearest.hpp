#pragma once

// The nearest of K centroids for many embeddings: a tiled GEMM fused with the argmin, where near-ties are decided
// in float64. The answer is that of exact arithmetic up to float64 rounding, whatever the batch.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/blas.hpp>
#include <uniroute/detail/distance.hpp>
#include <uniroute/detail/parallel.hpp>
#include <vector>

namespace uniroute::detail {

/// Rows of a tile: fixed, so that BLAS sees the same shapes on any number of threads.
inline constexpr std::size_t tile_rows = 1024;

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

/// The least score, where it is, and the least among the others.
struct best_two {
  float best = std::numeric_limits<float>::infinity();
  float second = std::numeric_limits<float>::infinity();
  std::uint32_t index = 0;
};

/// Finds the two least of the scores squared_norms[k] - 2 dots[k].
/// Sixteen lanes, so that compilers vectorise it without reordering anything we care about.
inline best_two least_two(const float* dots, const float* squared_norms, std::size_t size) noexcept {
  constexpr std::size_t width = 16;
  std::array<float, width> best;
  std::array<float, width> second;
  std::array<std::int32_t, width> index{};
  best.fill(std::numeric_limits<float>::infinity());
  second.fill(std::numeric_limits<float>::infinity());
  std::size_t k = 0;
  for (; k + width <= size; k += width) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      const float score = squared_norms[k + lane] - 2 * dots[k + lane];
      const bool less = score < best[lane];
      const float other = less ? best[lane] : score;
      second[lane] = other < second[lane] ? other : second[lane];
      best[lane] = less ? score : best[lane];
      index[lane] = less ? static_cast<std::int32_t>(k + lane) : index[lane];
    }
  }
  best_two out;
  const auto offer = [&out](float score, std::uint32_t at) {
    if (score < out.best || (score == out.best && at < out.index)) {
      out.second = out.best;
      out.best = score;
      out.index = at;
    } else if (score < out.second) {
      out.second = score;
    }
  };
  for (std::size_t lane = 0; lane < width; ++lane) {
    offer(best[lane], static_cast<std::uint32_t>(index[lane]));
    if (second[lane] < out.second) out.second = second[lane];
  }
  for (; k < size; ++k) offer(squared_norms[k] - 2 * dots[k], static_cast<std::uint32_t>(k));
  return out;
}

/// Decides among the centroids whose score is within `band` of the best, in float64; ties go to the lower index.
inline std::uint32_t settle_near_tie(const float* x, const centroid_table& table, const float* dots, float best,
                                     double band) noexcept {
  double least = std::numeric_limits<double>::infinity();
  std::uint32_t winner = 0;
  for (std::size_t k = 0; k < table.size(); ++k) {
    const float score = table.squared_norms[k] - 2 * dots[k];
    if (static_cast<double>(score) > static_cast<double>(best) + band) continue;
    const double distance = squared_distance(x, row(table.centroids, k).data(), table.dimension());
    if (distance < least) {
      least = distance;
      winner = static_cast<std::uint32_t>(k);
    }
  }
  return winner;
}

/// Labels of `count` rows of x (row stride D), whose squared norms are given. `dots` is scratch for count x K floats.
/// `distances`, squared float32 distances clamped at zero, may be null.
inline void nearest_in_tile(const float* x, const float* norms, std::size_t count, const centroid_table& table,
                            float* dots, std::uint32_t* labels, float* distances) noexcept {
  const std::size_t d = table.dimension();
  const std::size_t size = table.size();
  gemm_nt(count, size, d, 1, x, d, table.centroids.data(), d, 0, dots, size);
  for (std::size_t i = 0; i < count; ++i) {
    const float* row_dots = dots + i * size;
    const best_two found = least_two(row_dots, table.squared_norms.data(), size);
    labels[i] = found.index;
    const double band = 2 * score_error(d, std::sqrt(static_cast<double>(norms[i])), table.largest_norm);
    if (static_cast<double>(found.second) - static_cast<double>(found.best) <= band) [[unlikely]]
      labels[i] = settle_near_tie(x + i * d, table, row_dots, found.best, band);
    if (distances != nullptr) {
      const float score = table.squared_norms[labels[i]] - 2 * row_dots[labels[i]];
      distances[i] = std::max(0.0F, norms[i] + score);
    }
  }
}

/// The nearest centroid of each row of x. Bits do not depend on `threads` (0: all).
inline label_vector nearest(const embedding_matrix& x, const centroid_table& table, std::size_t threads = 1) {
  const std::size_t n = rows(x);
  label_vector labels(n);
  const std::size_t d = columns(x);
  std::vector<std::vector<float>> scratch(thread_count(threads));
  parallel_for(tile_count(n), threads, [&](std::size_t tile, std::size_t worker) {
    auto& dots = scratch[worker];
    dots.resize(tile_rows * table.size());
    const std::size_t first = tile * tile_rows;
    const std::size_t count = std::min(tile_rows, n - first);
    const float* tile_x = x.data() + first * d;
    std::array<float, tile_rows> norms;
    for (std::size_t i = 0; i < count; ++i) norms[i] = dot(tile_x + i * d, tile_x + i * d, d);
    nearest_in_tile(tile_x, norms.data(), count, table, dots.data(), labels.data() + first, nullptr);
  });
  return labels;
}

/// The nearest centroid of one embedding; the same choice as `nearest` makes. Allocates nothing after the first
/// call on a thread.
inline std::uint32_t nearest_one(embedding_view x, const centroid_table& table) {
  const std::size_t d = table.dimension();
  thread_local std::vector<float> dots;
  if (dots.size() < table.size()) dots.resize(table.size());
  for (std::size_t k = 0; k < table.size(); ++k) dots[k] = dot(x.data(), table.centroids.data() + k * d, d);
  const best_two found = least_two(dots.data(), table.squared_norms.data(), table.size());
  const double norm = std::sqrt(static_cast<double>(dot(x.data(), x.data(), d)));
  const double band = 2 * score_error(d, norm, table.largest_norm);
  if (static_cast<double>(found.second) - static_cast<double>(found.best) <= band) [[unlikely]]
    return settle_near_tie(x.data(), table, dots.data(), found.best, band);
  return found.index;
}

}  // namespace uniroute::detail
