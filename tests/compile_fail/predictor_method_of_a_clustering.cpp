// expect: predictor_method: Make\(trial\) must return a pool_adaptive predictor
#include <uniroute/experiment/method.hpp>
#include <uniroute/predict/cell_predictor.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using model = ur::cell_predictor<>;
#else
using model = ur::kmeans<>;
#endif

auto method() {
  return ur::predictor_method("cells", [](const ur::trial_data&) { return model{}; });
}
