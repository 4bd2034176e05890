// expect: retrained_method: Make\(trial\) must return a predictor that is not pool_adaptive
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/retrained.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/mlp.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::mlp;
#else
using predictor = ur::knn;
#endif

const ur::routing_method method = ur::retrained_method("rival", [](const ur::trial_data&) { return predictor{}; });
