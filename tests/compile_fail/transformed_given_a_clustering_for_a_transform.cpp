// expect: transformed: Transform \(the first argument\) must model embedding_transform
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/transformed.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using transform = ur::skills;
#else
using transform = ur::kmeans<>;
#endif

ur::transformed predictor{transform{}, ur::knn{}};
