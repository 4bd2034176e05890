// expect: blended_cells: Blend must model cell_blend: fit\(centroids, embeddings\), weigh\(squared distances\), prior
#include <uniroute/predict/prox_router.hpp>

#ifdef UNIROUTE_EXPECT_OK
using blend = uniroute::exponential_tilt;
#else
using blend = uniroute::tilted_neighbours;
#endif

uniroute::blended_cells<uniroute::kmeans<>, blend> predictor;
