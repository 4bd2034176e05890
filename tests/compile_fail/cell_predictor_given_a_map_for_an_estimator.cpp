// expect: cell_predictor: Estimator must model estimator: fit\(span of cell_statistics\), estimate
#include <uniroute/predict/cell_predictor.hpp>

#ifdef UNIROUTE_EXPECT_OK
using estimator = uniroute::cell_mean;
#else
using estimator = uniroute::nearest_map;
#endif

uniroute::cell_predictor<uniroute::kmeans<>, uniroute::nearest_map, estimator> predictor;
