// expect: router::enroll: Predictor cannot take in an LLM it was not fitted on: it must model pool_adaptive
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/mlp.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::knn;
#else
using predictor = ur::mlp;
#endif

void enroll(const std::vector<double>& losses) {
  ur::router router{ur::precomputed_embeddings{}, predictor{}, ur::lagrangian_rule{}};
  router.enroll("a new LLM", losses, 0.5);
}
