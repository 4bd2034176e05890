// expect: blended_cells: Clustering must model clustering: fit\(embeddings\), size\(\), centroids\(\), assign
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/prox_router.hpp>

#ifdef UNIROUTE_EXPECT_OK
using cells = uniroute::kmeans<>;
#else
using cells = uniroute::nearest_map;
#endif

uniroute::prox_cells<cells> predictor;
