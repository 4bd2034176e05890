// Enrolment beside a pass over the LLM's outcomes, exact K-NN beside the sgemm of its distances.

#include <ratio.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/knn.hpp>

namespace {

using namespace uniroute_benchmarks;
namespace ur = uniroute;
constexpr std::size_t d = 384, labelled = 100000, cells = 64, queries = 4000, neighbours_of = 8000;

std::vector<double> outcomes(std::size_t n) {
  ur::random_engine draws(7);
  std::vector<double> losses(n);
  for (double& loss : losses) loss = draws.uniform() < 0.4 ? 1 : 0;
  return losses;
}

void enroll(benchmark::State& state) {
  ur::cell_predictor predictor(ur::kmeans{{.clusters = cells, .max_iterations = 2}}, ur::nearest_map{},
                               ur::cell_mean{});
  const auto x = make_embeddings(labelled, d, 8);
  predictor.fit(x, ur::make_matrix<double>(labelled, 0));
  predictor.set_validation(x);
  const auto losses = outcomes(labelled);
  for (auto _ : state) {
    predictor.enroll("new", losses);
    predictor.retire("new");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(labelled));
}

void pass_over_outcomes(benchmark::State& state) {
  const std::vector<double> losses = outcomes(labelled);
  time_pass(state, reinterpret_cast<const float*>(losses.data()), 2 * losses.size());
}

const ur::embedding_matrix& sample() {
  static const auto x = make_embeddings(neighbours_of, d, 9);
  return x;
}
const ur::embedding_matrix& asked() {
  static const auto x = make_embeddings(queries, d, 10);
  return x;
}

void predict_knn(benchmark::State& state) {
  ur::knn predictor{{.neighbours = 40}};
  predictor.fit(sample(), ur::make_matrix<double>(neighbours_of, 0));
  predictor.set_validation(sample());
  for (const char* name : {"a", "b", "c"}) predictor.enroll(name, outcomes(neighbours_of));
  for (auto _ : state) {
    auto losses = predictor.predict(asked());
    benchmark::DoNotOptimize(losses.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(queries));
}

const bool added_enroll = add_ratio("enroll", enroll, "one pass over 100000 outcomes", pass_over_outcomes, {});
const bool added_knn = add_ratio("knn", predict_knn, "sgemm 4000 x 8000 x 384",
                                 [](benchmark::State& state) { time_sgemm(state, asked(), sample()); }, {});

}  // namespace
