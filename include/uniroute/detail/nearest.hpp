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

/// The least score, where it is, and the least among the others.
struct best_two {
  float best = std::numeric_limits<float>::infinity();
  float second = std::numeric_limits<float>::infinity();
  std::uint32_t index = 0;
};

/// Finds the two least of squared_norms[k] - 2 dots[k], overwriting dots with those scores.
/// Sixteen lanes, so that compilers vectorise it without reordering anything we care about.
inline best_two least_two(float* dots, const float* squared_norms, std::size_t size) noexcept {
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
      dots[k + lane] = score;
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
  for (; k < size; ++k) {
    dots[k] = squared_norms[k] - 2 * dots[k];
    offer(dots[k], static_cast<std::uint32_t>(k));
  }
  return out;
}

/// Decides among the centroids whose score is within `band` of the best, in float64; ties go to the lower index.
inline std::uint32_t settle_near_tie(const float* x, const centroid_table& table, const float* scores, float best,
                                     double band) noexcept {
  double least = std::numeric_limits<double>::infinity();
  std::uint32_t winner = 0;
  for (std::size_t k = 0; k < table.size(); ++k) {
    if (static_cast<double>(scores[k]) > static_cast<double>(best) + band) continue;
    const double distance = squared_distance(x, row(table.centroids, k).data(), table.dimension());
    if (distance < least) {
      least = distance;
      winner = static_cast<std::uint32_t>(k);
    }
  }
  return winner;
}

/// Labels and squared distances of `count` rows of x (row stride D). `scores` holds count x K floats.
/// `distances` may be null. Float32 distances are clamped at zero.
inline void nearest_in_tile(const float* x, std::size_t count, const centroid_table& table, float* scores,
                            std::uint32_t* labels, float* distances) noexcept {
  const std::size_t d = table.dimension();
  const std::size_t size = table.size();
  gemm_nt(count, size, d, 1, x, d, table.centroids.data(), d, 0, scores, size);
  for (std::size_t i = 0; i < count; ++i) {
    const float* xi = x + i * d;
    float* row_scores = scores + i * size;
    const float norm = dot(xi, xi, d);
    const best_two found = least_two(row_scores, table.squared_norms.data(), size);
    labels[i] = found.index;
    const double band = 2 * score_error(d, std::sqrt(static_cast<double>(norm)), table.largest_norm);
    if (static_cast<double>(found.second) - static_cast<double>(found.best) <= band) [[unlikely]]
      labels[i] = settle_near_tie(xi, table, row_scores, found.best, band);
    if (distances != nullptr) distances[i] = std::max(0.0F, norm + row_scores[labels[i]]);
  }
}

/// The nearest centroid of each row of x. Bits do not depend on `threads` (0: all).
inline label_vector nearest(const embedding_matrix& x, const centroid_table& table, std::size_t threads = 1) {
  const std::size_t n = rows(x);
  label_vector labels(n);
  std::vector<std::vector<float>> scratch(thread_count(threads));
  parallel_for(tile_count(n), threads, [&](std::size_t tile, std::size_t worker) {
    auto& scores = scratch[worker];
    scores.resize(tile_rows * table.size());
    const std::size_t first = tile * tile_rows;
    const std::size_t count = std::min(tile_rows, n - first);
    nearest_in_tile(x.data() + first * columns(x), count, table, scores.data(), labels.data() + first, nullptr);
  });
  return labels;
}

/// The nearest centroid of one embedding; the same choice as `nearest` makes. Allocates nothing after the first
/// call on a thread.
inline std::uint32_t nearest_one(embedding_view x, const centroid_table& table) {
  const std::size_t d = table.dimension();
  thread_local std::vector<float> scores;
  if (scores.size() < table.size()) scores.resize(table.size());
  for (std::size_t k = 0; k < table.size(); ++k) scores[k] = dot(x.data(), table.centroids.data() + k * d, d);
  const best_two found = least_two(scores.data(), table.squared_norms.data(), table.size());
  const double norm = std::sqrt(static_cast<double>(dot(x.data(), x.data(), d)));
  const double band = 2 * score_error(d, norm, table.largest_norm);
  if (static_cast<double>(found.second) - static_cast<double>(found.best) <= band) [[unlikely]]
    return settle_near_tie(x.data(), table, scores.data(), found.best, band);
  return found.index;
}

}  // namespace uniroute::detail
