// expect: kmeans: Seeding must model seeding: s\(embeddings, k, engine\) -> k x D embedding_matrix
#include <uniroute/cluster/kmeans.hpp>

#ifdef UNIROUTE_EXPECT_OK
using seeding = uniroute::random_seeding;
#else
using seeding = uniroute::random_engine;
#endif

uniroute::kmeans<seeding> cells({}, seeding{});
