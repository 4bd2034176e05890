// expect: router: Predictor \(the second argument\) must model predictor: .* an encoder of strings or
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::knn;
#else
using predictor = ur::hashed_tfidf;
#endif

ur::router router{ur::hashed_tfidf{}, predictor{}, ur::lagrangian_rule{}};
