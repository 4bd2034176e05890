#pragma once

// The k nearest rows of a fixed sample, exactly: candidates by a tiled sgemm, the k-th place by float64 distances, so
// that one embedding and a batch have the same neighbours.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/lanes.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

struct scored_row {
  float score;
  std::uint32_t index;
};

/// Keeps the rows that may be among the k nearest while scores stream by. Reused from query to query.
class neighbour_search {
 public:
  void start(std::size_t k, double band) {
    k_ = k;
    band_ = static_cast<float>(band) * 1.0001F;
    limit_ = std::numeric_limits<float>::infinity();
    size_ = 0;
    next_trim_ = capacity();
    if (held_.size() < 2 * capacity()) held_.resize(2 * capacity());
  }

  /// Offers rows first, first + 1, …: their scores are norms[j] + products[j], products being -2 x·c. Few pass: of 256
  /// rows, row 16 p + l sets bit p of lane l where it does, and what follows looks at set bits alone.
  void offer(const float* products, const float* norms, std::size_t count, std::size_t first) {
    constexpr std::uint32_t parts = 16;
    const auto take = [&](std::size_t j) { hold({norms[j] + products[j], static_cast<std::uint32_t>(first + j)}); };
    std::size_t start = 0;
    for (; start + parts * lane_count <= count; start += parts * lane_count) {
      index_lanes passed{};
      for (std::uint32_t part = 0; part < parts; ++part) {
        const std::size_t j = start + part * lane_count;
        passed |= index_lanes(lanes(norms + j).at + lanes(products + j).at <= limit_) & (1U << part);
      }
      std::array<std::uint32_t, lane_count> bits;
      lanes(bits.data()).at = passed;
      for (std::size_t lane = 0; lane < lane_count; ++lane) {
        for (std::uint32_t left = bits[lane]; left != 0; left &= left - 1)
          take(start + static_cast<std::size_t>(std::countr_zero(left)) * lane_count + lane);
      }
    }
    for (; start < count; ++start) {
      if (norms[start] + products[start] <= limit_) take(start);
    }
  }

  /// Asks memory for where the next row goes.
  void prefetch() const noexcept { __builtin_prefetch(held_.data() + size_, 1); }

  /// The k nearest of what was offered, in order of index; x and table settle the k-th place.
  std::span<const scored_row> finish(const float* x, const centroid_table& table) {
    if (size_ > 2 * k_) trim();
    if (size_ > k_) select();
    if (size_ > k_) settle(x, table);
    std::sort(held_.begin(), end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    return {held_.data(), size_};
  }

 private:
  /// Rows held before those are dropped that have fallen behind: a low limit soon against few selections.
  std::size_t capacity() const noexcept { return 3 * k_ + lane_count; }

  std::vector<scored_row>::iterator end() noexcept { return held_.begin() + static_cast<std::ptrdiff_t>(size_); }

  void hold(scored_row row) {
    if (size_ == held_.size()) held_.resize(2 * size_);
    held_[size_++] = row;
    if (size_ >= next_trim_) trim();
  }

  /// Drops rows that cannot be among the k nearest, by counting: scores fall into equal bins from the least to the
  /// greatest, and bins stay as far as they are needed for k rows. Where most rows share bins, by selection.
  void trim() {
    constexpr std::size_t bins = 256;
    const auto held = std::span(held_).first(size_);
    float least = held[0].score, greatest = least;
    for (const scored_row& row : held) {
      least = std::min(least, row.score);
      greatest = std::max(greatest, row.score);
    }
    const float range = greatest - least;
    const float scale = static_cast<float>(bins - 1) / range;
    if (std::isfinite(range) && std::isfinite(scale)) {
      const auto bin_of = [=](float score) { return static_cast<std::uint32_t>((score - least) * scale); };
      std::array<std::uint32_t, bins + 1> counts{};  // rounding may reach beyond the last
      for (const scored_row& row : held) ++counts[bin_of(row.score)];
      std::uint32_t last = 0;
      for (std::size_t rows = counts[0]; rows < k_; rows += counts[++last]) {
      }
      float limit = least;
      for (const scored_row& row : held) limit = std::max(limit, bin_of(row.score) <= last ? row.score : least);
      drop_beyond(limit + band_);
    }
    if (size_ > 2 * k_) select();
    next_trim_ = std::max(capacity(), 2 * size_);
  }

  /// Drops rows further than the k-th, but for those that rounding leaves in doubt.
  void select() {
    const auto kth = held_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(held_.begin(), kth, end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    drop_beyond(kth->score + band_);
  }

  /// A limit that is no number (a score of minus infinity within an infinite error) rules nobody out.
  void drop_beyond(float limit) noexcept {
    if (std::isnan(limit)) limit = std::numeric_limits<float>::infinity();
    limit_ = limit;
    std::size_t kept = 0;
    for (const scored_row row : std::span(held_).first(size_)) {
      held_[kept] = row;
      kept += static_cast<std::size_t>(row.score <= limit);
    }
    size_ = kept;
  }

  /// More than k rows are within the rounding error of the k-th: order those by float64 distance, then by index.
  void settle(const float* x, const centroid_table& table) {
    const float kth = limit_ - band_;
    const auto sure = std::partition(held_.begin(), end(), [&](const auto& r) { return r.score < kth - band_; });
    unsure_.clear();
    for (auto at = sure; at != end(); ++at)
      unsure_.emplace_back(squared_distance(x, row(table.centroids, at->index).data(), table.dimension()), at->index);
    std::sort(unsure_.begin(), unsure_.end());
    size_ = static_cast<std::size_t>(sure - held_.begin());
    for (std::size_t place = 0; size_ < k_; ++place) held_[size_++] = {kth, unsure_[place].second};
  }

  std::size_t k_ = 1;
  float band_ = 0;
  float limit_ = 0;
  std::size_t next_trim_ = 0;
  std::vector<scored_row> held_;  ///< the first size_ count
  std::size_t size_ = 0;
  std::vector<std::pair<double, std::uint32_t>> unsure_;
};

/// Calls found(i, neighbours) for every row of x, with its k nearest rows of the table in order of index.
/// k must be at most table.size(). Bits do not depend on threads.
template <class Found>
void for_each_neighbourhood(const embedding_matrix& x, const centroid_table& table, std::size_t k, std::size_t threads,
                            Found&& found) {
  // Large enough that BLAS has packed its blocks for little, small enough that products stay in a third-level cache.
  constexpr std::size_t block = 1024, queries = 1024;
  // Rows of products lie a power of two apart and some: else they fight for the same places of the first-level cache.
  const std::size_t stride = std::min(block, table.size()) + lane_count;
  const std::size_t n = rows(x);
  const std::size_t d = table.dimension();
  struct scratch {
    std::vector<float> products;
    std::vector<neighbour_search> searches;
  };
  const std::size_t tiles = (n + queries - 1) / queries;
  std::vector<scratch> workers(std::min(thread_count(threads), std::max<std::size_t>(1, tiles)));
  parallel_for(tiles, threads, [&](std::size_t tile, std::size_t worker) {
    scratch& work = workers[worker];
    const std::size_t first = tile * queries;
    const std::size_t count = std::min(queries, n - first);
    work.products.resize(count * stride);
    work.searches.resize(std::max(work.searches.size(), count));
    for (std::size_t i = 0; i < count; ++i) {
      const float* xi = x.data() + (first + i) * d;
      const double norm = std::sqrt(static_cast<double>(dot(xi, xi, d)));
      work.searches[i].start(k, 2 * score_error(d, norm, table.largest_norm));
    }
    for (std::size_t start = 0; start < table.size(); start += block) {
      const std::size_t width = std::min(block, table.size() - start);
      gemm_nt(count, width, d, -2, x.data() + first * d, d, table.centroids.data() + start * d, d, 0,
              work.products.data(), stride);
      for (std::size_t i = 0; i < count; ++i) {
        work.searches[std::min(i + 1, count - 1)].prefetch();
        work.searches[i].offer(work.products.data() + i * stride, table.squared_norms.data() + start, width, start);
      }
    }
    for (std::size_t i = 0; i < count; ++i)
      found(first + i, work.searches[i].finish(x.data() + (first + i) * d, table));
  });
}

}  // namespace uniroute::detail
