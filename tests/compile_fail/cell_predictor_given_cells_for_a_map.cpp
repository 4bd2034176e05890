// expect: cell_predictor: Map must model cluster_map: membership_type, fit\(map_training_set\)
#include <uniroute/predict/cell_predictor.hpp>

#ifdef UNIROUTE_EXPECT_OK
using map = uniroute::nearest_map;
#else
using map = uniroute::kmeans<>;
#endif

uniroute::cell_predictor<uniroute::kmeans<>, map> predictor;
