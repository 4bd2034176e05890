// expect: certify: Rule must be lagrangian_rule
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/budget_rule.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/exact_binomial.hpp>

#ifdef UNIROUTE_EXPECT_OK
using rule = uniroute::lagrangian_rule;
#else
using rule = uniroute::budget_rule;
#endif

void promise(const uniroute::binary_routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{}, rule{}};
  uniroute::certify<uniroute::exact_binomial>(router, table, uniroute::confidence_level{0.95});
}
