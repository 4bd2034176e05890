// expect: router: Reader \(the first argument\) must model encoder: fit\(prompts\), encode\(prompts\)
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using reader = ur::hashed_tfidf;
#else
using reader = ur::kmeans<>;
#endif

ur::router router{reader{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
