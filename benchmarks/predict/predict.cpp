// Enrolment beside a pass over the LLM's outcomes, exact K-NN beside the sgemm of its distances.

#include <ratio.hpp>
#include <string>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/knn.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;
constexpr std::size_t d = 384, cells = 64, queries = 4096, sampled = 100000, neighbours = 100;

std::vector<double> outcomes(std::size_t n) {
  ur::random_engine draws(7);
  std::vector<double> losses(n);
  for (double& loss : losses) loss = draws.uniform() < 0.4 ? 1 : 0;
  return losses;
}

/// Embeddings of four values: enrolment does not see them, and ten million of them have to fit.
void enroll(benchmark::State& state, std::size_t n) {
  ur::cell_predictor predictor(ur::kmeans{{.clusters = cells, .max_iterations = 2}}, ur::nearest_map{},
                               ur::cell_mean{});
  predictor.fit(make_embeddings(10000, 4, 8), ur::make_matrix<double>(10000, 0));
  predictor.set_validation(make_embeddings(n, 4, 9));
  const auto losses = outcomes(n);
  for (auto _ : state) {
    predictor.enroll("new", losses);
    predictor.retire("new");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

void read_column(benchmark::State& state, std::size_t n) {
  const std::vector<double> losses = outcomes(n);
  time_pass(state, reinterpret_cast<const float*>(losses.data()), 2 * losses.size());
}

bool add_enroll(std::size_t n) {
  return add_ratio(
      "enroll_" + std::to_string(n), [n](benchmark::State& state) { enroll(state, n); }, "one read of the column",
      [n](benchmark::State& state) { read_column(state, n); }, 2.0);
}

const ur::embedding_matrix& sample() {
  static const auto x = make_embeddings(sampled, d, 9);
  return x;
}
const ur::embedding_matrix& asked() {
  static const auto x = make_embeddings(queries, d, 10);
  return x;
}

void predict_knn(benchmark::State& state) {
  ur::knn predictor{{.neighbours = neighbours}};
  predictor.fit(asked(), ur::make_matrix<double>(queries, 0));
  predictor.set_validation(sample());
  predictor.enroll("a", outcomes(sampled));
  for (auto _ : state) {
    auto losses = predictor.predict(asked());
    benchmark::DoNotOptimize(losses.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(queries));
}

/// In four parts, so that the product takes 400 MB and not 1.6 GB.
void knn_sgemm(benchmark::State& state) {
  constexpr std::size_t part = sampled / 4;
  auto c = ur::make_matrix<float>(queries, part, 0.0F);
  for (auto _ : state) {
    for (std::size_t first = 0; first < sampled; first += part) {
      ur::detail::gemm_nt(queries, part, d, 1, asked().data(), d, sample().data() + first * d, d, 0, c.data(), part);
      benchmark::DoNotOptimize(c.data());
      benchmark::ClobberMemory();
    }
  }
}

const bool added_enroll = add_enroll(10000) && add_enroll(100000) && add_enroll(1000000) && add_enroll(10000000);
const bool added_knn = add_ratio("knn_k100", predict_knn, "sgemm 4096 x 100000 x 384", knn_sgemm, 1.05);

}  // namespace
