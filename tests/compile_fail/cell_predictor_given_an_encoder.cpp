// expect: cell_predictor: Clustering is an encoder of strings, but must read embeddings
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/predict/cell_predictor.hpp>

#ifdef UNIROUTE_EXPECT_OK
using cells = uniroute::kmeans<>;
#else
using cells = uniroute::hashed_tfidf;
#endif

uniroute::cell_predictor<cells> predictor;
