// expect: router_method: Make\(trial\) must return a uniroute::router whose predictor is pool_adaptive
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/experiment/router_method.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <uniroute/route/router.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto make = [](const ur::trial_data&) {
  return ur::router{ur::precomputed_embeddings{}, ur::knn{}, ur::lagrangian_rule{}};
};
#else
const auto make = [](const ur::trial_data&) { return ur::knn{}; };
#endif
const ur::routing_method method = ur::router_method("mine", make);
