// expect: router: Rule must model routing_rule: choose\(candidates<>\) const -> index, save, load
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using rule = ur::best_quality_rule;
#else
using rule = ur::lagrangian_rule_options;
#endif

ur::router router{ur::hashed_tfidf{}, ur::cell_predictor<>{}, rule{}};
