// expect: cell_predictor: Clustering is an encoder of strings, but must read embeddings
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using cells = ur::kmeans<>;
#else
using cells = ur::hashed_tfidf;
#endif

ur::router router{ur::hashed_tfidf{}, cells{}, ur::nearest_map{}, ur::shrunken_mean{}, ur::lagrangian_rule{}};
