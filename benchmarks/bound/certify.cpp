// A certificate at n = 100,000, K = 300, M = 100: counting beside one read of the outcomes; then the 30,000 intervals.

#include <ratio.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/stats/exact_binomial.hpp>

namespace {

using namespace uniroute_benchmarks;
constexpr std::size_t n = 100000, cells = 300, models = 100;

struct outcomes {
  uniroute::label_vector labels = uniroute::label_vector(n);
  uniroute::loss_matrix losses = uniroute::make_matrix<double>(n, models);

  outcomes() {
    uniroute::random_engine draws(3);
    for (std::size_t i = 0; i < n; ++i) {
      labels[i] = static_cast<std::uint32_t>(draws.below(cells));
      for (std::size_t h = 0; h < models; ++h) {
        const double u = draws.uniform();
        losses(i, h) = u < .02 ? uniroute::missing : u < .4 ? 1 : 0;
      }
    }
  }
};

const outcomes& sample() {
  static const outcomes all;
  return all;
}

void count(benchmark::State& state) {
  for (auto _ : state) {
    const auto s = uniroute::summarise({sample().labels, sample().losses, cells});
    benchmark::DoNotOptimize(s.sums.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n * models));
}

/// One read of the outcomes: their sum, in enough lanes that additions do not wait for each other.
void read(benchmark::State& state) {
  const double* const data = sample().losses.data();
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

/// 30,000 Clopper-Pearson intervals, equal counts computed once; everything after counting.
void intervals(benchmark::State& state) {
  const auto s = uniroute::summarise({sample().labels, sample().losses, cells});
  const std::vector<double> costs(models, 1.0);
  const auto choices = uniroute::choose_in_cells(uniroute::cell_means(s), costs, 0);
  for (auto _ : state) {
    const auto c = uniroute::certify_counts<uniroute::exact_binomial>(s, choices, costs, 0, .05);
    benchmark::DoNotOptimize(c.gap_adaptive);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(cells * models));
}

const bool counted = add_ratio("certify_count", count, "one read of 100000 x 100 outcomes", read, 3);
const bool timed = add_ratio("certify_intervals", intervals, "one read of 100000 x 100 outcomes", read, std::nullopt);

}  // namespace
