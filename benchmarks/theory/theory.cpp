// Exact regret beside one pass over γ*; validation samples drawn by counts beside row by row; and, as counters, how
// often certificates hold and how far they are from the truth.

#include <ratio.hpp>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/regret/cell_truth.hpp>
#include <uniroute/stats/exact_binomial.hpp>
#include <uniroute/stats/hoeffding.hpp>
#include <uniroute/world/random_worlds.hpp>

namespace {

namespace ur = uniroute;
using namespace uniroute_benchmarks;

constexpr std::size_t prompts = 100000, models = 20;

/// A world of 100,000 types.
const ur::population& large_population() {
  static const auto p =
      ur::population_of(ur::random_cells({.cells = prompts / 10, .models = models, .types_per_cell = 10}).world);
  return p;
}

void exact_regret(benchmark::State& state) {
  const auto& p = large_population();
  const std::vector<std::uint32_t> choices(p.size(), 3);
  double regret = 0;
  for (auto _ : state) {
    regret = ur::regret_of(p, std::span<const std::uint32_t>(choices), 0.3).regret;
    benchmark::DoNotOptimize(regret);
  }
  state.counters["regret"] = regret;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(p.size()));
}

/// As many bytes as γ* has.
void pass_over_losses(benchmark::State& state) {
  static const std::vector<float> bytes(2 * prompts * models, 1.0F);
  time_pass(state, bytes.data(), bytes.size());
}

const bool added_regret =
    add_ratio("exact_regret", exact_regret, "one pass over 100000 x 20 losses", pass_over_losses, {});

const ur::celled_world& sampled_world() {
  static const auto w = ur::random_cells({.cells = 10, .models = 10, .seed = 3});
  return w;
}

void draw_counts(benchmark::State& state) {
  std::uint64_t seed = 0;
  for (auto _ : state) {
    const auto s = ur::gather_cells(ur::draw_types(sampled_world().world, 10000, ++seed), sampled_world().labels, 10);
    benchmark::DoNotOptimize(s.sums.data());
  }
  state.SetItemsProcessed(state.iterations() * 10000);
}

void draw_rows(benchmark::State& state) {
  std::uint64_t seed = 0;
  for (auto _ : state) {
    const auto drawn = ur::draw_outcomes(sampled_world().world, 10000, ++seed);
    benchmark::DoNotOptimize(drawn.losses.data());
  }
  state.SetItemsProcessed(state.iterations() * 10000);
}

const bool added_draws =
    add_ratio("draw_counts", draw_counts, "the same 10000 x 10 answers one by one", draw_rows, 0.1);

/// A sample, its choices and its certificate a turn. Counters: the share of turns in which true regret was below, the
/// mean certificate and the mean regret.
template <class Interval>
void certificate_holds(benchmark::State& state, double clear_cells) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto w = ur::random_cells({.cells = 10, .models = 10, .clear_cells = clear_cells, .seed = 5});
  const auto p = ur::population_of(w.world);
  const auto truth = ur::truth_of(p, ur::one_hot(w.labels, w.cells));
  const auto costs = ur::row(p.costs, 0);
  double turns = 0, held = 0, certified = 0, regrets = 0;
  std::uint64_t seed = 0;
  for (auto _ : state) {
    const auto s = ur::gather_cells(ur::draw_types(w.world, n, ++seed), w.labels, w.cells);
    const auto choices = ur::choose_in_cells(ur::cell_means(s), costs, 0.3);
    const auto c = ur::certify_counts<Interval>(s, choices, costs, 0.3, 0.05);
    const double regret = ur::regret_to_cells(truth, costs, choices, 0.3);
    turns += 1;
    held += regret <= c.gap_adaptive ? 1 : 0;
    certified += c.gap_adaptive;
    regrets += regret;
  }
  state.counters["covered"] = held / turns;
  state.counters["certificate"] = certified / turns;
  state.counters["regret"] = regrets / turns;
}

const bool added_coverage = [] {
  for (const double clear : {0.0, 0.8}) {
    const std::string name = clear > 0 ? "certificate_clear" : "certificate_random";
    benchmark::RegisterBenchmark((name + "/hoeffding").c_str(),
                                 [clear](auto& state) { certificate_holds<ur::hoeffding>(state, clear); })
        ->RangeMultiplier(10)
        ->Range(100, 100000)
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark((name + "/exact_binomial").c_str(),
                                 [clear](auto& state) { certificate_holds<ur::exact_binomial>(state, clear); })
        ->RangeMultiplier(10)
        ->Range(100, 100000)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
