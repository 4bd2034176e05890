// expect: concatenated<First, Second>: Second must .*encoder
#include <uniroute/encode/concatenated.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
ur::concatenated both{ur::hashed_tfidf{}, ur::hashed_tfidf{}};
#else
ur::concatenated both{ur::hashed_tfidf{}, ur::precomputed_embeddings{}};
#endif
