// Growth, measured: log-log slopes of time against n, K, M and D, memory of a K-means fit beside its input, and time on
// one and two threads with the results compared bit by bit. Prints a table; no Google Benchmark, since sizes vary.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <ratio.hpp>
#include <string>
#include <thread>
#include <tuple>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/predict/knn.hpp>
#include <utility>
#include <vector>

namespace {

std::atomic<std::size_t> live{0}, peak{0};

void* allocate(std::size_t size) {
  // The size stands before the block, so that deallocation can subtract it.
  auto* const block = static_cast<std::size_t*>(std::malloc(size + 64));
  if (block == nullptr) throw std::bad_alloc();
  *block = size;
  const std::size_t now = live += size;
  for (std::size_t seen = peak; seen < now && !peak.compare_exchange_weak(seen, now);) {
  }
  return reinterpret_cast<char*>(block) + 64;
}

void release(void* p) noexcept {
  if (p == nullptr) return;
  auto* const block = reinterpret_cast<std::size_t*>(static_cast<char*>(p) - 64);
  live -= *block;
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;

/// The least of three: what the machine can do when nothing else runs.
double best_of_three(const std::function<void()>& call) {
  double least = seconds(call);
  for (int again = 0; again < 2; ++again) least = std::min(least, seconds(call));
  return least;
}

/// The slope of log time against log size, by least squares.
double slope(const std::vector<std::size_t>& sizes, const std::function<std::function<void()>(std::size_t)>& make) {
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (const std::size_t size : sizes) {
    const auto call = make(size);
    const double x = std::log(static_cast<double>(size)), y = std::log(best_of_three(call));
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  const double count = static_cast<double>(sizes.size());
  return (count * sxy - sx * sy) / (count * sxx - sx * sx);
}

/// Ten iterations of Lloyd's from random seeds.
ur::kmeans<ur::random_seeding> fit(const ur::embedding_matrix& x, std::size_t k, std::size_t threads = 1) {
  ur::kmeans cells{{.clusters = k,
                    .max_iterations = 10,
                    .tolerance = 0,
                    .threads = threads,
                    .algorithm = ur::kmeans_algorithm::full},
                   ur::random_seeding{}};
  cells.fit(x);
  return cells;
}

std::function<void()> timed_fit(std::size_t n, std::size_t d, std::size_t k) {
  return [x = make_embeddings(n, d, 1), k] { fit(x, k); };
}

std::function<void()> timed_seeding(std::size_t n, std::size_t d, std::size_t k) {
  return [x = make_embeddings(n, d, 1), k] {
    ur::random_engine engine(1);
    ur::plus_plus_seeding{}(x, k, engine);
  };
}

std::function<void()> timed_curve(std::size_t n, std::size_t m) {
  ur::random_engine draws(3);
  auto losses = ur::make_matrix<double>(n, m), costs = ur::make_matrix<double>(1, m);
  for (double& loss : losses) loss = draws.uniform();
  for (double& cost : costs) cost = draws.uniform();
  auto paid = ur::make_matrix<double>(n, m);
  for (std::size_t i = 0; i < paid.size(); ++i) paid.data()[i] = costs(0, i % m);
  return [losses, costs, paid] { ur::trace_curve(losses, costs, losses, paid); };
}

ur::knn neighbours(std::size_t n, std::size_t d, std::size_t k, std::size_t threads = 1) {
  ur::knn predictor{{.neighbours = k, .threads = threads}};
  const auto x = make_embeddings(n, d, 2);
  predictor.fit(x, ur::make_matrix<double>(n, 0));
  predictor.set_validation(x);
  predictor.enroll("a", std::vector<double>(n, 0.5));
  return predictor;
}

std::function<void()> timed_knn(std::size_t n, std::size_t d, std::size_t k) {
  return [predictor = neighbours(n, d, k), asked = make_embeddings(2048, d, 4)] { (void)predictor.predict(asked); };
}

void print_slope(const char* what, const char* against, double value) {
  std::printf("%-24s %-8s %6.2f\n", what, against, value);
}

void print_threads(const char* what, double one, double two, bool same) {
  std::printf("%-24s %6.2f x on two threads, %s\n", what, one / two, same ? "the same bits" : "OTHER BITS");
}

}  // namespace

int main() {
  std::printf("%-24s %-8s %6s\n", "log-log slope of time", "against", "slope");
  print_slope("K-means, 10 iterations", "n",
              slope({10000, 20000, 40000, 80000}, [](auto n) { return timed_fit(n, 128, 64); }));
  print_slope("K-means, 10 iterations", "K",
              slope({32, 64, 128, 256}, [](auto k) { return timed_fit(20000, 128, k); }));
  print_slope("K-means, 10 iterations", "D",
              slope({64, 128, 256, 512}, [](auto d) { return timed_fit(20000, d, 64); }));
  print_slope("k-means++ seeding", "n",
              slope({10000, 20000, 40000, 80000}, [](auto n) { return timed_seeding(n, 128, 64); }));
  print_slope("k-means++ seeding", "K", slope({32, 64, 128, 256}, [](auto k) { return timed_seeding(20000, 128, k); }));
  print_slope("exact K-NN, k = 20", "n", slope({8192, 16384, 32768}, [](auto n) { return timed_knn(n, 128, 20); }));
  print_slope("deferral curve", "n", slope({5000, 10000, 20000, 40000}, [](auto n) { return timed_curve(n, 30); }));
  print_slope("deferral curve", "M", slope({10, 20, 40, 80}, [](auto m) { return timed_curve(10000, m); }));

  std::printf("\nmemory of a K-means fit beside its input\n");
  for (const auto& [n, d, k] :
       {std::tuple<std::size_t, std::size_t, std::size_t>{100000, 384, 256}, {200000, 128, 1024}}) {
    const auto x = make_embeddings(n, d, 1);
    const std::size_t before = live;
    peak = before;
    ur::kmeans cells{{.clusters = k, .max_iterations = 3}};
    cells.fit(x);
    const double input = static_cast<double>(n * d * sizeof(float)), extra = static_cast<double>(peak - before);
    std::printf("n = %zu, D = %zu, K = %zu: %.3f x the input (and %.1f MB; target 64)\n", n, d, k, 1 + extra / input,
                extra / (1 << 20));
  }

  std::printf("\nthreads (the machine has %u)\n", std::thread::hardware_concurrency());
  const auto x = make_embeddings(50000, 256, 1);
  const auto one = fit(x, 128, 1), two = fit(x, 128, 2);
  print_threads("K-means, 10 iterations", best_of_three([&] { fit(x, 128, 1); }),
                best_of_three([&] { fit(x, 128, 2); }),
                one.centroids() == two.centroids() && one.inertia() == two.inertia());
  const auto seeds = [&](std::size_t threads) {
    ur::random_engine engine(1);
    return ur::plus_plus_seeding{}(x, 128, engine, threads);
  };
  print_threads("k-means++ seeding", best_of_three([&] { seeds(1); }), best_of_three([&] { seeds(2); }),
                seeds(1) == seeds(2));
  const auto asked = make_embeddings(8192, 128, 4);
  const auto alone = neighbours(20000, 128, 20, 1), pair = neighbours(20000, 128, 20, 2);
  print_threads("exact K-NN", best_of_three([&] { (void)alone.predict(asked); }),
                best_of_three([&] { (void)pair.predict(asked); }), alone.predict(asked) == pair.predict(asked));
  return 0;
}
