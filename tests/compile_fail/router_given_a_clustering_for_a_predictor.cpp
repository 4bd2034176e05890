// expect: router: Predictor \(the second argument\) must model predictor: .* a clustering alone is none
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
ur::router router{ur::hashed_tfidf{}, ur::cell_predictor{ur::kmeans{}}, ur::lagrangian_rule{}};
#else
ur::router router{ur::hashed_tfidf{}, ur::kmeans{}, ur::lagrangian_rule{}};
#endif
