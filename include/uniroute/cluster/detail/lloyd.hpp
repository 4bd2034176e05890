#pragma once

// Lloyd's iterations: assignment by tiles, sums of the cells kept up to date with the prompts that changed cells, and
// bounds that show which prompts cannot have.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// |x_i|² of every row.
inline std::vector<double> row_norms(const embedding_matrix& x, std::size_t threads) {
  std::vector<double> norms(rows(x));
  parallel_for(tile_count(rows(x)), threads, [&](std::size_t tile, std::size_t) {
    const std::size_t last = std::min(rows(x), (tile + 1) * tile_rows);
    for (std::size_t i = tile * tile_rows; i < last; ++i) norms[i] = squared_norm(row(x, i).data(), columns(x));
  });
  return norms;
}

/// One start of K-means on the rows that were admitted so far. Memory beside the embeddings: 28 bytes a row, K x D
/// float64 sums, and a tile a thread. Every number is that of one thread: labels do not depend on tiles, and each
/// coordinate of a sum is added up in order of rows.
///
/// Rounding: sums follow changes of label by adding and subtracting, and start afresh once as many rows have changed as
/// there are; each is that of at most 3 n float64 additions.
class lloyd {
 public:
  static constexpr std::uint32_t unassigned = std::numeric_limits<std::uint32_t>::max();

  lloyd(const embedding_matrix& x, const std::vector<double>& norms, std::size_t k, std::size_t threads)
      : x_(x),
        norms_(norms),
        // Threads cost some 50 µs an iteration.
        threads_(rows(x) * k * columns(x) < (std::size_t{1} << 24) ? 1 : threads),
        labels_(rows(x), unassigned),
        sums_(k * columns(x), 0.0),
        counts_(k, 0),
        scratch_(thread_count(threads_)) {}

  /// Rows that take part from now on, in order; they include those that did before.
  void admit(std::vector<std::uint32_t> members) {
    members_ = std::move(members);
    total_norm_ = 0;
    for (const std::uint32_t i : members_) total_norm_ += norms_[i];
  }
  void admit_all() {
    std::vector<std::uint32_t> all(rows(x_));
    std::iota(all.begin(), all.end(), 0U);
    admit(std::move(all));
  }

  /// Gives every member its nearest centroid, and brings sums and counts up to date. With `prune`, members whose bound
  /// shows that their label stands are left alone: the labels are the same.
  void assign(const centroid_table& table, bool prune) {
    if (prune && gaps_.empty()) gaps_.assign(rows(x_), -1.0);
    previous_ = labels_;
    choose_rows(prune);
    const std::size_t size = tile_rows;
    const std::size_t tiles = (todo_.size() + size - 1) / size;
    const score_band band(table);
    parallel_for(tiles, threads_, [&](std::size_t tile, std::size_t worker) {
      const std::size_t first = tile * size;
      const std::uint32_t* rows_of_tile = todo_.data() + first;
      const std::size_t count = std::min(size, todo_.size() - first);
      std::array<float, tile_rows> norms;
      for (std::size_t i = 0; i < count; ++i) norms[i] = static_cast<float>(norms_[rows_of_tile[i]]);
      nearest_in_tile(gather(rows_of_tile, count, scratch_[worker]), norms.data(), count, table, scratch_[worker].tile,
                      [&](std::size_t i, std::uint32_t label, float best, float second) {
                        const std::uint32_t at = rows_of_tile[i];
                        labels_[at] = label;
                        if (prune) gaps_[at] = gap(norms_[at], best, second, static_cast<double>(band(norms[i])));
                      });
    });
    update_sums();
  }

  /// Tells the bounds how far each centroid moved: |x - c_k| changes by at most that.
  void moved(const std::vector<double>& distances) noexcept {
    if (gaps_.empty()) return;
    const auto farthest = std::max_element(distances.begin(), distances.end());
    const auto index = static_cast<std::uint32_t>(farthest - distances.begin());
    double next = 0;
    for (std::size_t k = 0; k < distances.size(); ++k) {
      if (k != index) next = std::max(next, distances[k]);
    }
    for (const std::uint32_t i : members_) {
      if (labels_[i] == unassigned) continue;
      gaps_[i] -= distances[labels_[i]] + (labels_[i] == index ? next : *farthest);
    }
  }

  /// Σ |x_i - c(x_i)|² over members, from the sums: O(K D). Where that would cancel, row by row.
  double inertia(const centroid_table& table) const {
    const std::size_t d = table.dimension();
    double sum = total_norm_;
    for (std::size_t k = 0; k < table.size(); ++k) {
      const float* c = row(table.centroids, k).data();
      double dots = 0;
      for (std::size_t j = 0; j < d; ++j) dots += static_cast<double>(c[j]) * sums_[k * d + j];
      sum += static_cast<double>(counts_[k]) * squared_norm(c, d) - 2 * dots;
    }
    if (sum > 1e-8 * total_norm_) return sum;
    const std::vector<double> all = distances(table);
    return std::accumulate(all.begin(), all.end(), 0.0);
  }

  /// |x_i - c(x_i)|² of each member, in float64.
  std::vector<double> distances(const centroid_table& table) const {
    std::vector<double> out(members_.size());
    parallel_for(tile_count(out.size()), threads_, [&](std::size_t tile, std::size_t) {
      for (std::size_t at = tile * tile_rows; at < std::min(out.size(), (tile + 1) * tile_rows); ++at) {
        const std::size_t i = members_[at];
        out[at] = squared_distance(row(x_, i).data(), row(table.centroids, labels_[i]).data(), table.dimension());
      }
    });
    return out;
  }

  const std::vector<std::uint32_t>& members() const noexcept { return members_; }
  const label_vector& labels() const noexcept { return labels_; }              ///< `unassigned` for others than members
  const std::vector<double>& sums() const noexcept { return sums_; }           ///< K x D
  const std::vector<std::size_t>& counts() const noexcept { return counts_; }  ///< K
  std::size_t changed() const noexcept { return changed_.size(); }  ///< members with another label than before
  std::size_t computed() const noexcept { return todo_.size(); }    ///< members whose distances were computed

 private:
  struct worker_scratch {
    tile_scratch tile;
    std::vector<float> rows;
  };

  /// How much the nearest centroid is nearer than any other, at least: the bound of Hamerly (2010), as a difference.
  /// Scores are within band / 2 of their exact values.
  static double gap(double norm, float best, float second, double band) noexcept {
    const double upper = std::sqrt(std::max(0.0, norm + static_cast<double>(best) + band));
    const double lower = std::sqrt(std::max(0.0, norm + static_cast<double>(second) - band));
    return lower - upper;
  }

  /// Members whose label may change. Rows are gathered unless nearly all are asked for.
  void choose_rows(bool prune) {
    todo_.clear();
    if (prune) {
      for (const std::uint32_t i : members_) {
        if (!(gaps_[i] > 0)) todo_.push_back(i);
      }
    }
    if (!prune || todo_.size() * 8 >= members_.size() * 7) todo_ = members_;
  }

  const float* gather(const std::uint32_t* which, std::size_t count, worker_scratch& work) const {
    const std::size_t d = columns(x_);
    if (which[count - 1] - which[0] == count - 1) return x_.data() + which[0] * d;
    work.rows.resize(tile_rows * d);
    for (std::size_t i = 0; i < count; ++i) std::copy_n(x_.data() + which[i] * d, d, work.rows.data() + i * d);
    return work.rows.data();
  }

  void update_sums() {
    changed_.clear();
    std::size_t left = 0;
    for (const std::uint32_t i : todo_) {
      if (labels_[i] == previous_[i]) continue;
      changed_.push_back(i);
      ++counts_[labels_[i]];
      if (previous_[i] == unassigned) continue;
      --counts_[previous_[i]];
      ++left;
    }
    changes_ += left;
    const bool afresh = changes_ > members_.size();
    if (afresh) changes_ = 0;
    const std::size_t d = columns(x_);
    // A thread has a range of coordinates: each is summed in order of rows on any number of threads.
    const std::size_t parts = thread_count(threads_) == 1 ? 1 : (d + 63) / 64;
    parallel_for(parts, threads_, [&](std::size_t part, std::size_t) {
      const std::size_t first = parts == 1 ? 0 : part * 64, last = parts == 1 ? d : std::min(d, first + 64);
      const auto add = [&](std::uint32_t label, const float* xi, double sign) {
        double* const __restrict sum = sums_.data() + label * d;
        for (std::size_t j = first; j < last; ++j) sum[j] += sign * static_cast<double>(xi[j]);
      };
      if (afresh) {
        for (std::size_t k = 0; k < counts_.size(); ++k)
          std::fill(sums_.data() + k * d + first, sums_.data() + k * d + last, 0.0);
        for (const std::uint32_t i : members_) add(labels_[i], x_.data() + i * d, 1);
      } else {
        for (const std::uint32_t i : changed_) {
          if (previous_[i] != unassigned) add(previous_[i], x_.data() + i * d, -1);
          add(labels_[i], x_.data() + i * d, 1);
        }
      }
    });
  }

  const embedding_matrix& x_;
  const std::vector<double>& norms_;
  std::size_t threads_;
  std::vector<std::uint32_t> members_, todo_, changed_;
  label_vector labels_, previous_;
  std::vector<double> gaps_;
  std::vector<double> sums_;
  std::vector<std::size_t> counts_;
  std::vector<worker_scratch> scratch_;
  std::size_t changes_ = 0;
  double total_norm_ = 0;
};

}  // namespace uniroute::detail
