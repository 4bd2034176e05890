// expect: blended_cells: Clustering is an encoder of strings, but must read embeddings
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/predict/prox_router.hpp>

#ifdef UNIROUTE_EXPECT_OK
using cells = uniroute::kmeans<>;
#else
using cells = uniroute::hashed_tfidf;
#endif

uniroute::prox_cells<cells> predictor;
