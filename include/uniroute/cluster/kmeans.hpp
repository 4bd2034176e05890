#pragma once

// K-means: Lloyd's algorithm with a tiled GEMM fused with the argmin, and bounds that spare most of its late work.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/detail/lloyd.hpp>
#include <uniroute/cluster/seeding.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
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

/// How a fit goes about it.
enum class kmeans_algorithm {
  pruned,  ///< Lloyd's, without the distances that bounds show to be idle: bit for bit the result of `full`
  full,    ///< Lloyd's, every distance at every iteration
  /// Lloyd's on a random eighth of the prompts, then on a quarter, a half and all of them, each step from the centroids
  /// of the one before. A step ends when inertia falls by less than ten times the tolerance, the last one at the
  /// tolerance. Another local minimum, about as good, where there are many prompts a cell (at least 32 in the eighth).
  growing
};

/// How `kmeans` starts, iterates and stops.
struct kmeans_options {
  std::size_t clusters = 16;         ///< K, at least 1 and at most the number of prompts
  std::size_t max_iterations = 100;  ///< of each start, at least 1
  double tolerance = 1e-4;           ///< stop when inertia falls by less than this share
  std::size_t starts = 1;            ///< independent starts; the one with the least inertia is kept
  std::uint64_t seed = 1;
  std::size_t threads = 1;  ///< 0: all of the machine; never changes a bit of the result
  empty_cell_repair repair = empty_cell_repair::farthest_point;
  kmeans_algorithm algorithm = kmeans_algorithm::pruned;
  std::function<void(const kmeans_progress&)> on_iteration = {};  ///< called on the fitting thread

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("clusters", of.clusters);
    visit("max_iterations", of.max_iterations);
    visit("tolerance", of.tolerance);
    visit("starts", of.starts);
    visit("seed", of.seed);
    visit("repair", of.repair);
    visit("algorithm", of.algorithm);
  }
};

/// K-means (Lloyd 1982) on squared Euclidean distance; sums in float64, near-ties of the assignment decided in float64.
/// Cost: at most one n x D x K sgemm an iteration, less once few prompts change cells (Hamerly 2010); memory beside the
/// input: 28 bytes a prompt, K x D float64 and a tile a thread. `assign` is const and thread-safe.
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

  /// Refused with a sentence: options are named, `kmeans{{.clusters = 20}}`.
  template <detail::number N>
  explicit kmeans(N) : kmeans() {
    static_assert(detail::accepted<N>, "kmeans: options are named: kmeans{{.clusters = 20}}");
  }

  /// Finds K centroids of x (n x D). Throws std::invalid_argument when K > n, std::domain_error for non-finite values.
  void fit(const embedding_matrix& x) {
    detail::require(options_.clusters <= rows(x), "kmeans::fit: clusters is ", options_.clusters,
                    ", but must be at most the number of prompts, ", rows(x));
    detail::require(columns(x) >= 1, "kmeans::fit: embeddings has 0 columns, but must have at least 1");
    detail::check_finite("kmeans::fit", "embeddings", x);
    const std::vector<double> norms = detail::row_norms(x, options_.threads);
    std::vector<fitted> found(options_.starts);
    // Starts side by side where there are enough of them; a callback wants them one after the other.
    const bool apart = options_.starts >= detail::thread_count(options_.threads) && !options_.on_iteration;
    detail::parallel_for(options_.starts, apart ? options_.threads : 1, [&](std::size_t start, std::size_t) {
      found[start] = run(x, norms, start, apart ? 1 : options_.threads);
    });
    fitted best;
    for (fitted& candidate : found) {
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

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) { kmeans(next.options_, next.seeding_); });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("centroids", of.fitted_.table);
    visit("inertia", of.fitted_.inertia);
    visit("iterations", of.fitted_.iterations);
  }

 private:
  struct fitted {
    detail::centroid_table table;
    double inertia = std::numeric_limits<double>::infinity();
    std::size_t iterations = 0;
  };

  fitted run(const embedding_matrix& x, const std::vector<double>& norms, std::size_t start,
             std::size_t threads) const {
    random_engine engine(derive_seed(options_.seed, start));
    fitted out{detail::centroid_table(seeds(x, engine, threads)), std::numeric_limits<double>::infinity(), 0};
    detail::lloyd work(x, norms, options_.clusters, threads);
    const bool prune = options_.algorithm != kmeans_algorithm::full;
    const bool growing = options_.algorithm == kmeans_algorithm::growing;
    std::vector<std::uint32_t> order(growing ? rows(x) : 0);
    std::iota(order.begin(), order.end(), 0U);
    if (growing) shuffle(order, engine);
    bool settled = false;  // whether the centroids are those of the last assignment
    for (std::size_t share = growing ? first_share(rows(x)) : 1; share >= 1; share /= 2) {
      if (share == 1) {
        work.admit_all();
      } else {
        std::vector<std::uint32_t> members(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(rows(x) / share));
        std::sort(members.begin(), members.end());
        work.admit(std::move(members));
      }
      const double tolerance = options_.tolerance * (share > 1 ? 10 : 1);
      double last = std::numeric_limits<double>::infinity();
      while (out.iterations < options_.max_iterations) {
        work.assign(out.table, prune);
        const double inertia = work.inertia(out.table);
        ++out.iterations;
        if (options_.on_iteration) options_.on_iteration({start, out.iterations, inertia});
        const bool repaired = move_centroids(x, work, out.table);
        settled = work.changed() == 0 && !repaired;
        if (!repaired && last - inertia <= tolerance * inertia) break;
        last = inertia;
      }
      if (share > 1) settled = false;
    }
    if (!settled) work.assign(out.table, prune);
    out.inertia = work.inertia(out.table);
    return out;
  }

  embedding_matrix seeds(const embedding_matrix& x, random_engine& engine, [[maybe_unused]] std::size_t threads) const {
    if constexpr (std::is_invocable_v<const Seeding&, const embedding_matrix&, std::size_t, random_engine&,
                                      std::size_t>) {
      return seeding_(x, options_.clusters, engine, threads);
    } else {
      return seeding_(x, options_.clusters, engine);
    }
  }

  /// A growing fit starts on n / this: at most 8, and at least 32 prompts a cell.
  std::size_t first_share(std::size_t n) const noexcept {
    std::size_t share = 8;
    while (share > 1 && n / share < 32 * options_.clusters) share /= 2;
    return share;
  }

  /// Centroids become cell means; empty cells are repaired by the named rule. Whether a repair changed anything: a
  /// centroid that is put on a row which has one already (more cells than different rows) will be empty again.
  bool move_centroids(const embedding_matrix& x, detail::lloyd& work, detail::centroid_table& table) const {
    const std::size_t d = columns(x);
    const embedding_matrix before = table.centroids;
    std::vector<std::size_t> empty;
    for (std::size_t k = 0; k < table.size(); ++k) {
      if (work.counts()[k] == 0) {
        empty.push_back(k);
        continue;
      }
      const double count = static_cast<double>(work.counts()[k]);
      for (std::size_t j = 0; j < d; ++j) table.centroids(k, j) = static_cast<float>(work.sums()[k * d + j] / count);
    }
    const bool repair = !empty.empty() && options_.repair == empty_cell_repair::farthest_point;
    bool changed = false;
    if (repair) {
      const std::vector<double> distances = work.distances(detail::centroid_table(before));
      std::vector<std::size_t> order(distances.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      const auto farther = [&](std::size_t a, std::size_t b) {
        return distances[a] > distances[b] || (distances[a] == distances[b] && a < b);
      };
      const std::size_t mended = std::min(empty.size(), order.size());
      std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(mended), order.end(), farther);
      for (std::size_t e = 0; e < mended; ++e) {
        changed = changed || distances[order[e]] > 0;
        std::copy_n(x.data() + work.members()[order[e]] * d, d, table.centroids.data() + empty[e] * d);
      }
    }
    table.refresh();
    std::vector<double> moves(table.size());
    for (std::size_t k = 0; k < table.size(); ++k)
      moves[k] = std::sqrt(detail::squared_distance(row(before, k).data(), row(table.centroids, k).data(), d));
    work.moved(moves);
    return changed;
  }

  kmeans_options options_;
  [[no_unique_address]] Seeding seeding_;
  fitted fitted_;
};

static_assert(clustering<kmeans<>>);

}  // namespace uniroute
