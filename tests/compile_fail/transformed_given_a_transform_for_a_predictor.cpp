// expect: transformed: Predictor \(the second argument\) must model predictor
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/transformed.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::knn;
#else
using predictor = ur::skills;
#endif

ur::transformed both{ur::skills{}, predictor{}};
