// expect: predictor_method: Make\(trial\) must return a pool_adaptive predictor
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/predict/predict.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const ur::routing_method method = ur::retrained_method("mlp", [](const ur::trial_data&) { return ur::mlp{}; });
#else
const ur::routing_method method = ur::predictor_method("mlp", [](const ur::trial_data&) { return ur::mlp{}; });
#endif
