// The comparator certificate at n = 10,000, M = 30: the best rule on 100 cells, beside one read of the differences.

#include <ratio.hpp>
#include <uniroute/bound/detail/comparison_sample.hpp>

namespace {

using namespace uniroute_benchmarks;
constexpr std::size_t n = 10000, cells = 100, models = 30;

const uniroute::detail::comparison_sample& sample() {
  static const uniroute::detail::comparison_sample out = [] {
    uniroute::random_engine draws(3);
    uniroute::detail::comparison_sample s{uniroute::make_matrix<double>(n, models), uniroute::label_vector(n), cells, 1,
                                          uniroute::make_matrix<double>(0, 0)};
    for (std::size_t i = 0; i < n; ++i) {
      s.cells[i] = static_cast<std::uint32_t>(draws.below(cells));
      const double mine = draws.uniform() < .3 ? 1 : 0;
      for (std::size_t h = 1; h < models; ++h) s.difference(i, h) = mine - (draws.uniform() < .35 ? 1 : 0);
      s.difference(i, 0) = 0;
    }
    return s;
  }();
  return out;
}

void bound(benchmark::State& state) {
  for (auto _ : state) {
    const auto found = uniroute::detail::bound_against(sample(), .05);
    benchmark::DoNotOptimize(found.bound);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n * models));
}

/// One read of the differences, in enough lanes that additions do not wait for each other.
void read(benchmark::State& state) {
  const double* const data = sample().difference.data();
  for (auto _ : state) {
    constexpr std::size_t width = 32;
    double lanes[width] = {};
    for (std::size_t i = 0; i + width <= n * models; i += width) {
      for (std::size_t l = 0; l < width; ++l) lanes[l] += data[i + l];
    }
    benchmark::DoNotOptimize(lanes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(n * models * sizeof(double)));
}

const bool timed = add_ratio("certify_against", bound, "one read of 10000 x 30 differences", read, 40);

}  // namespace
