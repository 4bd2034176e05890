// Whole fits beside full Lloyd's, and seeding beside a fit of three iterations: 100,000 x 384, K = 256.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <ratio.hpp>
#include <string>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/data/npy.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;
constexpr std::size_t n = 100000, d = 384, k = 256;

/// MiniLM embeddings (UNIROUTE_EMBEDDINGS, an .npy of D = 384), tiled with noise of norm .3; without them, synthetic
/// ones with many overlapping clusters.
ur::embedding_matrix make_points() {
  auto base = make_embeddings(4000, d, 11);
  const char* path = std::getenv("UNIROUTE_EMBEDDINGS");
  if (path != nullptr && std::filesystem::exists(path)) {
    base = ur::read_npy_matrix<float>(path);
  } else {
    std::fprintf(stderr, "kmeans_fit: UNIROUTE_EMBEDDINGS names no file: synthetic embeddings instead\n");
    for (std::size_t i = 0; i < base.size(); ++i) base.data()[i] /= 10;
  }
  ur::random_engine draws(12);
  auto x = ur::make_matrix<float>(n, d);
  const double noise = 0.3 / std::sqrt(static_cast<double>(d));
  for (std::size_t i = 0; i < n; ++i) {
    const auto from = ur::row(base, draws.below(ur::rows(base)));
    for (std::size_t j = 0; j < d; ++j) x(i, j) = from[j] + static_cast<float>(noise * draws.normal());
  }
  return x;
}

const ur::embedding_matrix& points() {
  static const auto x = make_points();
  return x;
}

ur::kmeans<> fit(ur::kmeans_algorithm algorithm) {
  ur::kmeans cells{{.clusters = k, .algorithm = algorithm}};
  cells.fit(points());
  return cells;
}

void time_fit(benchmark::State& state, ur::kmeans_algorithm algorithm) {
  static const double inertia = fit(ur::kmeans_algorithm::full).inertia();
  for (auto _ : state) {
    const auto cells = fit(algorithm);
    if (cells.inertia() > 1.001 * inertia) {
      const std::string ratio = std::to_string(cells.inertia() / inertia);
      state.SkipWithError(("inertia is " + ratio + " of full Lloyd's, but must be at most 1.001").c_str());
    }
    state.counters["inertia"] = cells.inertia() / inertia;
    state.counters["iterations"] = static_cast<double>(cells.iterations());
  }
}

bool add(const char* name, ur::kmeans_algorithm algorithm, double target) {
  return add_ratio(
      name, [algorithm](benchmark::State& state) { time_fit(state, algorithm); }, "full Lloyd fit, same seeding",
      [](benchmark::State& state) { time_fit(state, ur::kmeans_algorithm::full); }, target);
}

void seed(benchmark::State& state) {
  for (auto _ : state) {
    ur::random_engine engine(1);
    auto seeds = ur::plus_plus_seeding{}(points(), k, engine);
    benchmark::DoNotOptimize(seeds.data());
  }
}

void three_iterations(benchmark::State& state) {
  for (auto _ : state) {
    ur::kmeans cells{{.clusters = k, .max_iterations = 3, .tolerance = 0, .algorithm = ur::kmeans_algorithm::full},
                     ur::random_seeding{}};
    cells.fit(points());
    benchmark::DoNotOptimize(cells.inertia());
  }
}

const bool added = add("kmeans_fit_pruned", ur::kmeans_algorithm::pruned, 0.6) &&
                   add("kmeans_fit_growing", ur::kmeans_algorithm::growing, 0.6) &&
                   add_ratio("kmeans_seeding", seed, "Lloyd fit of 3 iterations, K = 256", three_iterations, 1.0);

}  // namespace
