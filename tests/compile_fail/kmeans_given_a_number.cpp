// expect: kmeans: options are named: kmeans\{\{.clusters = 20\}\}
#include <uniroute/cluster/kmeans.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto policy = ur::kmeans{{.clusters = 20}};
#else
const auto policy = ur::kmeans{20};
#endif
