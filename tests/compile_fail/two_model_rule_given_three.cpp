// expect: fix_pool: Rule must model routing_rule_for<Rule, N>: .* a two-model rule takes pool_of<2> and no other
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
constexpr std::size_t models = 2;
#else
constexpr std::size_t models = 3;
#endif

auto fix() {
  const ur::router router{ur::hashed_tfidf{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
  return ur::fix_pool<models>(router, ur::threshold_rule{});
}
