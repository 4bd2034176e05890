#pragma once

// K-means: Lloyd's algorithm with a tiled GEMM fused with the argmin.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/seeding.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/lloyd.hpp>
#include <uniroute/fwd.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What becomes of a cell that lost all its prompts during an iteration.
enum class empty_cell_repair {
  farthest_point,  ///< its centroid moves to the prompt farthest from its own centroid (each prompt used once)
  keep             ///< its centroid stays where it was
};

/// Where a fit stands, for a progress callback.
struct kmeans_progress {
  std::size_t start;      ///< which start, from 0
  std::size_t iteration;  ///< which iteration of that start, from 1
  double inertia;         ///< of the assignment just made
};

struct kmeans_options {
  std::size_t clusters = 16;         ///< K, at least 1 and at most the number of prompts
  std::size_t max_iterations = 100;  ///< of each start, at least 1
  double tolerance = 1e-4;           ///< stop when inertia falls by less than this share
  std::size_t starts = 1;            ///< independent starts; the one with the least inertia is kept
  std::uint64_t seed = 1;
  std::size_t threads = 1;  ///< 0: all of the machine; never changes a bit of the result
  empty_cell_repair repair = empty_cell_repair::farthest_point;
  std::function<void(const kmeans_progress&)> on_iteration = {};  ///< called on the fitting thread
};

/// K-means (Lloyd 1982) on squared Euclidean distance; sums in float64, near-ties of the assignment decided in float64.
/// Cost: one n x D x K sgemm an iteration; memory: the input plus at most 64 MB. `assign` is const and thread-safe.
template <class Seeding>
class kmeans {
  static_assert(seeding<Seeding>,
                "kmeans: Seeding must model seeding: s(embeddings, k, engine) -> k x D embedding_matrix");

 public:
  /// Throws std::invalid_argument for zero clusters, iterations or starts, and a negative tolerance.
  explicit kmeans(kmeans_options options = {}, Seeding seeding = {})
      : options_(std::move(options)), seeding_(std::move(seeding)) {
    detail::require(options_.clusters >= 1, "kmeans: clusters is 0, but must be at least 1");
    detail::require(options_.max_iterations >= 1, "kmeans: max_iterations is 0, but must be at least 1");
    detail::require(options_.starts >= 1, "kmeans: starts is 0, but must be at least 1");
    detail::require(options_.tolerance >= 0, "kmeans: tolerance is ", options_.tolerance, ", but must be at least 0");
  }

  /// Finds K centroids of x (n x D). Throws std::invalid_argument when K > n, std::domain_error for non-finite values.
  void fit(const embedding_matrix& x) {
    detail::require(options_.clusters <= rows(x), "kmeans::fit: clusters is ", options_.clusters,
                    ", but must be at most the number of prompts, ", rows(x));
    detail::require(columns(x) >= 1, "kmeans::fit: embeddings has 0 columns, but must have at least 1");
    detail::check_finite("kmeans::fit", "embeddings", x);
    fitted best;
    for (std::size_t start = 0; start < options_.starts; ++start) {
      fitted candidate = run(x, start);
      if (candidate.inertia < best.inertia) best = std::move(candidate);
    }
    fitted_ = std::move(best);
  }

  std::size_t size() const noexcept { return fitted_.table.size(); }                      ///< K; 0 before fit
  std::size_t dimension() const noexcept { return fitted_.table.dimension(); }            ///< D; 0 before fit
  const embedding_matrix& centroids() const noexcept { return fitted_.table.centroids; }  ///< K x D
  /// Σ_i |x_i - c(x_i)|² of the final centroids on the prompts they were fitted on.
  double inertia() const noexcept { return fitted_.inertia; }
  std::size_t iterations() const noexcept { return fitted_.iterations; }  ///< of the start that was kept
  const kmeans_options& options() const noexcept { return options_; }

  /// The cell of each row of x. Throws not_fitted, std::invalid_argument for another dimension.
  label_vector assign(const embedding_matrix& x) const {
    detail::require<not_fitted>(size() != 0, "kmeans::assign: fit must come first");
    detail::require(columns(x) == dimension(), "kmeans::assign: embeddings has ", columns(x),
                    " columns, but must have ", dimension());
    return detail::nearest(x, fitted_.table, options_.threads);
  }

  state save() const {
    state out;
    out.set("centroids", fitted_.table.centroids);
    out.set("inertia", fitted_.inertia);
    out.set("iterations", std::uint64_t{fitted_.iterations});
    return out;
  }

  void load(const state& s) {
    fitted next{detail::centroid_table(s.get<matrix<float>>("centroids")), s.get<double>("inertia"),
                static_cast<std::size_t>(s.get<std::uint64_t>("iterations"))};
    fitted_ = std::move(next);
  }

 private:
  struct fitted {
    detail::centroid_table table;
    double inertia = std::numeric_limits<double>::infinity();
    std::size_t iterations = 0;
  };

  fitted run(const embedding_matrix& x, std::size_t start) const {
    random_engine engine(derive_seed(options_.seed, start));
    fitted out{detail::centroid_table(seeding_(x, options_.clusters, engine)), std::numeric_limits<double>::infinity(),
               0};
    detail::lloyd_workspace work(x, options_.clusters);
    double last = std::numeric_limits<double>::infinity();
    for (std::size_t iteration = 1; iteration <= options_.max_iterations; ++iteration) {
      detail::lloyd_assign(x, out.table, work, options_.threads);
      const double inertia = work.lanes[0].inertia;
      if (options_.on_iteration) options_.on_iteration({start, iteration, inertia});
      const bool repaired = move_centroids(x, work, out.table);
      out.iterations = iteration;
      if (!repaired && last - inertia <= options_.tolerance * inertia) break;
      last = inertia;
    }
    detail::lloyd_assign(x, out.table, work, options_.threads);
    out.inertia = work.lanes[0].inertia;
    return out;
  }

  /// Centroids become cell means; empty cells are repaired by the named rule. Whether one was.
  bool move_centroids(const embedding_matrix& x, detail::lloyd_workspace& work, detail::centroid_table& table) const {
    const std::size_t d = columns(x);
    const auto& total = work.lanes[0];
    std::vector<std::size_t> empty;
    for (std::size_t k = 0; k < table.size(); ++k) {
      if (total.counts[k] == 0) {
        empty.push_back(k);
        continue;
      }
      const double count = static_cast<double>(total.counts[k]);
      for (std::size_t j = 0; j < d; ++j) table.centroids(k, j) = static_cast<float>(total.sums[k * d + j] / count);
    }
    const bool repair = !empty.empty() && options_.repair == empty_cell_repair::farthest_point;
    if (repair) {
      std::vector<std::size_t> order(rows(x));
      std::iota(order.begin(), order.end(), std::size_t{0});
      const auto farther = [&](std::size_t a, std::size_t b) {
        return work.distances[a] > work.distances[b] || (work.distances[a] == work.distances[b] && a < b);
      };
      const auto middle = order.begin() + static_cast<std::ptrdiff_t>(empty.size());
      std::partial_sort(order.begin(), middle, order.end(), farther);
      for (std::size_t e = 0; e < empty.size(); ++e)
        std::copy_n(x.data() + order[e] * d, d, table.centroids.data() + empty[e] * d);
    }
    table.refresh();
    return repair;
  }

  kmeans_options options_;
  [[no_unique_address]] Seeding seeding_;
  fitted fitted_;
};

static_assert(clustering<kmeans<>>);

}  // namespace uniroute
