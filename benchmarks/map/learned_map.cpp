// One epoch of the learned map's loss and gradient at 1,600 x 384, K = 25, 19 LLMs, beside the four products that it
// contains; and the same at 20,000 prompts and K = 100.

#include <memory>
#include <ratio.hpp>
#include <string>
#include <uniroute/map/detail/membership_loss.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace detail = uniroute::detail;

struct problem {
  std::size_t n, d, k, m;
  uniroute::embedding_matrix x = make_embeddings(n, d, 2);
  uniroute::embedding_matrix centroids = make_embeddings(k, d, 3);
  uniroute::loss_matrix losses = uniroute::make_matrix<double>(n, m);
  uniroute::matrix<double> profiles = uniroute::make_matrix<double>(k, m);

  problem(std::size_t prompts, std::size_t dimension, std::size_t cells, std::size_t models)
      : n(prompts), d(dimension), k(cells), m(models) {
    uniroute::random_engine draws(4);
    for (double& loss : losses) loss = draws.uniform() < 0.4 ? 1 : 0;
    for (double& loss : profiles) loss = 0.05 + 0.9 * draws.uniform();
  }
};

void epoch(benchmark::State& state, const problem& p) {
  const std::vector<double> offsets(p.k, static_cast<double>(p.d));
  detail::membership_loss<float> loss(p.x, p.losses, p.profiles, p.centroids, offsets, static_cast<double>(p.d), 1e-4);
  std::vector<double> u(loss.size(), 0.0), gradient(loss.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(loss(u, gradient));
    benchmark::DoNotOptimize(gradient.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(p.n));
}

/// X θᵀ, Φ Ψ, G Ψᵀ and Δᵀ X on the same tiles.
void products(benchmark::State& state, const problem& p) {
  constexpr std::size_t tile = detail::membership_loss<float>::tile;
  std::vector<float> phi(p.k * tile, 0.04F), gamma(p.m * tile, 0.5F), slopes(p.k * p.d), psi(p.m * p.k, 0.5F);
  using detail::op;
  for (auto _ : state) {
    for (std::size_t first = 0; first < p.n; first += tile) {
      const std::size_t count = std::min(tile, p.n - first);
      const float* x = p.x.data() + first * p.d;
      detail::gemm<float>(op::as_is, op::transposed, p.k, count, p.d, 1, p.centroids.data(), p.d, x, p.d, 0, phi.data(),
                          count);
      detail::gemm<float>(op::as_is, op::as_is, p.m, count, p.k, 1, psi.data(), p.k, phi.data(), count, 0, gamma.data(),
                          count);
      detail::gemm<float>(op::transposed, op::as_is, p.k, count, p.m, 1, psi.data(), p.k, gamma.data(), count, 0,
                          phi.data(), count);
      detail::gemm<float>(op::as_is, op::as_is, p.k, p.d, count, 1, phi.data(), count, x, p.d, 0, slopes.data(), p.d);
    }
    benchmark::DoNotOptimize(slopes.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(p.n));
}

bool add(const std::string& name, std::size_t n, std::size_t d, std::size_t k, std::size_t m) {
  const auto make = [=] { return problem(n, d, k, m); };
  return add_ratio(
      name, [=](benchmark::State& state) { epoch(state, make()); }, "its four sgemm",
      [=](benchmark::State& state) { products(state, make()); }, 1.3);
}

const bool added = add("learned_map_epoch_1600x384_K25", 1600, 384, 25, 19) &&
                   add("learned_map_epoch_20000x384_K100", 20000, 384, 100, 40);

}  // namespace
