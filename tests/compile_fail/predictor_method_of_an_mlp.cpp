// expect: predictor_method: Make\(trial\) must return a pool_adaptive predictor
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/retrained.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/mlp.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const ur::routing_method method = ur::retrained_method("mlp", [](const ur::trial_data&) { return ur::mlp{}; });
#else
const ur::routing_method method = ur::predictor_method("mlp", [](const ur::trial_data&) { return ur::mlp{}; });
#endif
