// expect: confidence_level: a number is no level: write confidence_level\{.95\}, the probability with which it holds
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/betting.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const ur::confidence_level level{.95};
#else
constexpr double level = .95;
#endif

void promise(const ur::routing_table& table) {
  ur::router router{ur::precomputed_embeddings{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
  ur::certify<ur::betting>(router, table, level);
}
