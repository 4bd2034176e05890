// One Lloyd iteration at 100,000 x 384, K = 256, beside the one sgemm it contains.

#include <memory>
#include <ratio.hpp>
#include <uniroute/detail/lloyd.hpp>

namespace {

using namespace uniroute_benchmarks;
constexpr std::size_t n = 100000, d = 384, k = 256;

const uniroute::embedding_matrix& points() {
  static const auto x = make_embeddings(n, d, 2);
  return x;
}

uniroute::embedding_matrix first_centroids() {
  std::vector<std::size_t> rows;
  for (std::size_t j = 0; j < k; ++j) rows.push_back(j * n / k);
  return uniroute::take_rows(points(), std::span<const std::size_t>(rows));
}

/// Means of the assigned rows; a cell that lost all its rows keeps its centroid.
void move_centroids(const uniroute::detail::lloyd_workspace& work, uniroute::embedding_matrix& centroids) {
  const auto& total = work.lanes[0];
  for (std::size_t c = 0; c < k; ++c) {
    if (total.counts[c] == 0) continue;
    for (std::size_t j = 0; j < d; ++j)
      centroids(c, j) = static_cast<float>(total.sums[c * d + j] / static_cast<double>(total.counts[c]));
  }
}

void iterate(benchmark::State& state) {
  auto centroids = first_centroids();
  uniroute::detail::lloyd_workspace work(points(), k);
  for (auto _ : state) {
    const uniroute::detail::centroid_table table(centroids);
    uniroute::detail::lloyd_assign(points(), table, work, 1);
    move_centroids(work, centroids);
    benchmark::DoNotOptimize(centroids.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

const bool added = add_ratio(
    "kmeans_iteration", iterate, "sgemm 100000 x 256 x 384",
    [](benchmark::State& state) { time_sgemm(state, points(), first_centroids()); }, 1.15);

}  // namespace
