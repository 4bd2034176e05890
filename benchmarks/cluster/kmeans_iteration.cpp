// Lloyd iterations beside the one sgemm that each contains: the mean of iterations 2 to 10 of a fit.

#include <memory>
#include <ratio.hpp>
#include <string>
#include <uniroute/cluster/kmeans.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;

struct shape {
  std::size_t n, d, k;
};

const ur::embedding_matrix& points(const shape& s) {
  static const auto wide = make_embeddings(100000, 384, 2);
  static const auto many = make_embeddings(200000, 128, 2);
  return s.d == 384 ? wide : many;
}

ur::embedding_matrix first_centroids(const shape& s) {
  std::vector<std::size_t> rows;
  for (std::size_t j = 0; j < s.k; ++j) rows.push_back(j * s.n / s.k);
  return ur::take_rows(points(s), std::span<const std::size_t>(rows));
}

/// Seeds that cost nothing, so that a fit is iterations alone.
struct spread_seeding {
  ur::embedding_matrix operator()(const ur::embedding_matrix& x, std::size_t k, ur::random_engine&) const {
    return first_centroids({ur::rows(x), ur::columns(x), k});
  }
};

void iterate(benchmark::State& state, const shape& s) {
  using clock = std::chrono::steady_clock;
  const auto& x = points(s);
  for (auto _ : state) {
    std::vector<clock::time_point> ends;
    ur::kmeans cells{{.clusters = s.k,
                      .max_iterations = 11,
                      .tolerance = 0,
                      .algorithm = ur::kmeans_algorithm::full,
                      .on_iteration = [&](const ur::kmeans_progress&) { ends.push_back(clock::now()); }},
                     spread_seeding{}};
    cells.fit(x);
    const auto count = std::min<std::size_t>(ends.size(), 10) - 1;  // a fit that converges ends sooner
    state.SetIterationTime(std::chrono::duration<double>(ends[count] - ends[0]).count() / static_cast<double>(count));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(s.n));
}

bool add(const shape& s) {
  const std::string size = std::to_string(s.n) + " x " + std::to_string(s.k) + " x " + std::to_string(s.d);
  return add_ratio(
      "kmeans_iteration_k" + std::to_string(s.k), [s](benchmark::State& state) { iterate(state, s); }, "sgemm " + size,
      [s](benchmark::State& state) { time_sgemm(state, points(s), first_centroids(s)); }, 1.05, clock_of::own);
}

const bool added = add({100000, 384, 64}) && add({100000, 384, 256}) && add({200000, 128, 1024});

}  // namespace
