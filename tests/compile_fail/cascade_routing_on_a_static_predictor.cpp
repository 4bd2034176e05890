// expect: cascade_routing_method: MakePredictor.trial. must return a pool_adaptive predictor
#include <uniroute/experiment/ladder_method.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/mlp.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::knn;
#else
using predictor = ur::mlp;
#endif
ur::routing_method both() {
  return ur::cascade_routing_method(
      "both", [](const ur::trial_data&) { return predictor{}; },
      [](const ur::trial_data&) { return ur::verifier(.8, 1); });
}
