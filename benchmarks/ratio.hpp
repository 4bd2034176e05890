#pragma once

// A kernel and the limit it is measured against, timed in the same binary and reported as a ratio.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute_benchmarks {

struct ratio {
  std::string name;              ///< of the kernel; its limit is registered as NAME/limit
  std::string limit;             ///< in words
  std::optional<double> target;  ///< the ratio should be at most this
};

inline std::vector<ratio>& ratios() {
  static std::vector<ratio> all;
  return all;
}

using body = std::function<void(benchmark::State&)>;

/// Whose clock counts: the harness's, or the time that the body gives to state.SetIterationTime.
enum class clock_of { harness, own };

/// Registers both. Use as the initialiser of a namespace-scope `const bool`.
inline bool add_ratio(std::string name, body kernel, std::string limit, body limit_kernel, std::optional<double> target,
                      clock_of kernel_clock = clock_of::harness, clock_of limit_clock = clock_of::harness) {
  const auto add = [](const std::string& as, body run, clock_of clock) {
    auto* const added = benchmark::RegisterBenchmark(as.c_str(), std::move(run))->Unit(benchmark::kMicrosecond);
    clock == clock_of::own ? added->UseManualTime() : added->UseRealTime();
  };
  add(name, std::move(kernel), kernel_clock);
  add(name + "/limit", std::move(limit_kernel), limit_clock);
  ratios().push_back({std::move(name), std::move(limit), target});
  return true;
}

/// Seconds that a call takes.
template <class Call>
double seconds(Call&& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// n x d standard normal numbers, rows around 64 centres so that clusters are there to be found.
inline uniroute::embedding_matrix make_embeddings(std::size_t n, std::size_t d, std::uint64_t seed) {
  uniroute::random_engine centres(1), draws(seed);
  auto centre = uniroute::make_matrix<float>(64, d);
  for (float& value : centre) value = static_cast<float>(centres.normal());
  auto out = uniroute::make_matrix<float>(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    const auto from = uniroute::row(centre, draws.below(64));
    for (std::size_t j = 0; j < d; ++j) out(i, j) = from[j] + static_cast<float>(draws.uniform() - 0.5);
  }
  return out;
}

/// C = A Bᵀ, A m x d, B k x d: the one raw sgemm that distances cannot do without.
inline void time_sgemm(benchmark::State& state, const uniroute::embedding_matrix& a,
                       const uniroute::embedding_matrix& b) {
  const std::size_t m = uniroute::rows(a), k = uniroute::rows(b), d = uniroute::columns(a);
  auto c = uniroute::make_matrix<float>(m, k, 0.0F);
  for (auto _ : state) {
    uniroute::detail::gemm_nt(m, k, d, 1, a.data(), d, b.data(), d, 0, c.data(), k);
    benchmark::DoNotOptimize(c.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(m));
}

/// One pass over memory: the sum of `count` floats, in enough lanes that additions do not wait for each other.
inline void time_pass(benchmark::State& state, const float* data, std::size_t count) {
  for (auto _ : state) {
    constexpr std::size_t width = 64;
    float lanes[width] = {};
    for (std::size_t i = 0; i + width <= count; i += width) {
      for (std::size_t l = 0; l < width; ++l) lanes[l] += data[i + l];
    }
    benchmark::DoNotOptimize(lanes);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(count * sizeof(float)));
}

}  // namespace uniroute_benchmarks
