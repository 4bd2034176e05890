// expect: cell_predictor: Clustering must model clustering: fit\(embeddings\), size\(\), centroids\(\), assign
#include <uniroute/predict/cell_predictor.hpp>

#ifdef UNIROUTE_EXPECT_OK
using cells = uniroute::kmeans<>;
#else
using cells = uniroute::nearest_map;
#endif

uniroute::cell_predictor<cells> predictor;
