// expect: basic_knn: Weighting must model neighbour_weighting: fit\(embeddings\), weigh\(squared distances\), save
#include <uniroute/predict/prox_router.hpp>

#ifdef UNIROUTE_EXPECT_OK
using weighting = uniroute::tilted_neighbours;
#else
using weighting = uniroute::exponential_tilt;
#endif

uniroute::basic_knn<weighting> predictor;
