// expect: router: Rule chooses between exactly two models, but the pool of a router is known only at run time
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using rule = ur::lagrangian_rule;
#else
using rule = ur::threshold_rule;
#endif

ur::router router{ur::hashed_tfidf{}, ur::cell_predictor<>{}, rule{}};
