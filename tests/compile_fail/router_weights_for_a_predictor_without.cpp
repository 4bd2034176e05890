// expect: router::enroll: Predictor cannot weight outcomes: it must model weight_aware
#include <uniroute/cluster/cluster.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::cell_predictor<>;
#else
using predictor = ur::knn;
#endif

void enroll(const std::vector<double>& losses, const std::vector<double>& weights) {
  ur::router router{ur::precomputed_embeddings{}, predictor{}, ur::lagrangian_rule{}};
  router.enroll("a new LLM", losses, weights, 0.5);
}
