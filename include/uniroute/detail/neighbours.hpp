#pragma once

// The k nearest rows of a fixed sample, exactly: candidates by a tiled sgemm, the k-th place by float64 distances, so
// that one embedding and a batch have the same neighbours.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <uniroute/arrays.hpp>
#include <uniroute/detail/nearest.hpp>
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
    held_.clear();
    held_.reserve(2 * capacity());
    next_trim_ = capacity();
  }

  /// Offers rows first, first + 1, …: their scores are norms[j] + products[j], products being -2 x·c. Sixty-four are
  /// compared at once; few of them pass.
  void offer(const float* products, const float* norms, std::size_t count, std::size_t first) {
    constexpr std::size_t width = 64;
    std::size_t j = 0;
    for (; j + width <= count; j += width) {
      const float limit = limit_;
      int passed = 0;
      for (std::size_t lane = 0; lane < width; ++lane) passed += norms[j + lane] + products[j + lane] <= limit ? 1 : 0;
      if (passed != 0) take(products + j, norms + j, width, first + j);
    }
    take(products + j, norms + j, count - j, first + j);
  }

  /// The k nearest of what was offered, in order of index; x and table settle the k-th place.
  std::span<const scored_row> finish(const float* x, const centroid_table& table) {
    trim();
    if (held_.size() > k_) settle(x, table);
    std::sort(held_.begin(), held_.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    return held_;
  }

 private:
  std::size_t capacity() const noexcept { return std::max<std::size_t>(4 * k_, 256) + k_; }

  static bool nearer(const scored_row& a, const scored_row& b) noexcept { return a.score < b.score; }

  void take(const float* products, const float* norms, std::size_t count, std::size_t first) {
    for (std::size_t j = 0; j < count; ++j) {
      const float score = norms[j] + products[j];
      if (!(score <= limit_)) continue;
      held_.push_back({score, static_cast<std::uint32_t>(first + j)});
      if (held_.size() >= next_trim_) trim();
    }
  }

  /// Drops rows that cannot be among the k nearest.
  void trim() {
    if (held_.size() > k_) {
      const auto kth = held_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
      std::nth_element(held_.begin(), kth, held_.end(), nearer);
      limit_ = kth->score + band_;
      held_.erase(std::remove_if(kth + 1, held_.end(), [this](const auto& row) { return row.score > limit_; }),
                  held_.end());
    }
    next_trim_ = std::max(capacity(), 2 * held_.size());
  }

  /// More than k rows are within the rounding error of the k-th: order those by float64 distance, then by index.
  void settle(const float* x, const centroid_table& table) {
    const float kth = limit_ - band_;
    const auto sure = std::partition(held_.begin(), held_.end(), [&](const auto& r) { return r.score < kth - band_; });
    unsure_.clear();
    for (auto at = sure; at != held_.end(); ++at)
      unsure_.emplace_back(squared_distance(x, row(table.centroids, at->index).data(), table.dimension()), at->index);
    std::sort(unsure_.begin(), unsure_.end());
    const auto places = k_ - static_cast<std::size_t>(sure - held_.begin());
    held_.erase(sure, held_.end());
    for (std::size_t place = 0; place < places; ++place) held_.push_back({kth, unsure_[place].second});
  }

  std::size_t k_ = 1;
  float band_ = 0;
  float limit_ = 0;
  std::size_t next_trim_ = 0;
  std::vector<scored_row> held_;
  std::vector<std::pair<double, std::uint32_t>> unsure_;
};

/// Calls found(i, neighbours) for every row of x, with its k nearest rows of the table in order of index.
/// k must be at most table.size(). Bits do not depend on threads.
template <class Found>
void for_each_neighbourhood(const embedding_matrix& x, const centroid_table& table, std::size_t k, std::size_t threads,
                            Found&& found) {
  // Large enough that BLAS has packed its blocks for little, small enough that products stay in a third-level cache.
  constexpr std::size_t block = 2048, queries = 1024;
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
    work.products.resize(count * std::min(block, table.size()));
    work.searches.resize(std::max(work.searches.size(), count));
    for (std::size_t i = 0; i < count; ++i) {
      const float* xi = x.data() + (first + i) * d;
      const double norm = std::sqrt(static_cast<double>(dot(xi, xi, d)));
      work.searches[i].start(k, 2 * score_error(d, norm, table.largest_norm));
    }
    for (std::size_t start = 0; start < table.size(); start += block) {
      const std::size_t width = std::min(block, table.size() - start);
      gemm_nt(count, width, d, -2, x.data() + first * d, d, table.centroids.data() + start * d, d, 0,
              work.products.data(), width);
      for (std::size_t i = 0; i < count; ++i)
        work.searches[i].offer(work.products.data() + i * width, table.squared_norms.data() + start, width, start);
    }
    for (std::size_t i = 0; i < count; ++i)
      found(first + i, work.searches[i].finish(x.data() + (first + i) * d, table));
  });
}

}  // namespace uniroute::detail
