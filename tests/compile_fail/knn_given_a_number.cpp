// expect: knn: options are named: knn\{\{.neighbours = 20\}\}
#include <uniroute/predict/knn.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto policy = ur::knn{{.neighbours = 20}};
#else
const auto policy = ur::knn{20};
#endif
