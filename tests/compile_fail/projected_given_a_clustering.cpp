// expect: projected<Encoder>: Encoder must .*encoder
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/projected.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
ur::projected few{ur::hashed_tfidf{}};
#else
ur::projected few{ur::kmeans{}};
#endif
