// Routing: a batch beside the sgemm of its distances, one prompt beside a pass over the centroids.

#include <ratio.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/route/route.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;
constexpr std::size_t batch = 20000, d = 384, cells = 64, models = 30, labelled = 400;

const ur::embedding_matrix& prompts() {
  static const auto x = make_embeddings(batch, d, 3);
  return x;
}

template <class Map>
const auto& fitted() {
  static const auto router = [] {
    ur::router r{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = cells, .max_iterations = 3}}, Map{},
                 ur::cell_mean{}, ur::lagrangian_rule{{.lambda = 0.1}}};
    r.fit(make_embeddings(4000, d, 4));
    r.set_validation(make_embeddings(labelled, d, 5));
    ur::random_engine draws(6);
    for (std::size_t h = 0; h < models; ++h) {
      std::vector<double> losses(labelled);
      for (double& loss : losses) loss = draws.uniform() < 0.4 ? 1 : 0;
      r.enroll("model " + std::to_string(h), losses, draws.uniform());
    }
    return r;
  }();
  return router;
}

const ur::embedding_matrix& centroids() {
  return fitted<ur::nearest_map>().predictor_policy().clustering_policy().centroids();
}

template <class Map>
void route_batch(benchmark::State& state) {
  const auto& router = fitted<Map>();
  std::vector<std::uint32_t> out(batch);
  ur::routing_workspace work;
  for (auto _ : state) {
    router.route(prompts(), out, work);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}

void route_one(benchmark::State& state) {
  const auto& router = fitted<ur::nearest_map>();
  std::size_t i = 0;
  for (auto _ : state) {
    auto choice = router.route(ur::row(prompts(), i));
    benchmark::DoNotOptimize(choice);
    i = (i + 1) % 64;
  }
  state.SetItemsProcessed(state.iterations());
}

void batch_sgemm(benchmark::State& state) { time_sgemm(state, prompts(), centroids()); }

const bool added_hard =
    add_ratio("route_batch_hard", route_batch<ur::nearest_map>, "sgemm 20000 x 64 x 384", batch_sgemm, 1.15);
const bool added_soft =
    add_ratio("route_batch_soft", route_batch<ur::proximity_map>, "sgemm 20000 x 64 x 384", batch_sgemm, {});
const bool added_one = add_ratio(
    "route_one", route_one, "one pass over 64 x 384 centroids",
    [](benchmark::State& state) { time_pass(state, centroids().data(), centroids().size()); }, 2.0);

}  // namespace
