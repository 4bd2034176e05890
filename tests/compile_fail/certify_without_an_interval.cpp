// expect: certify: name an interval, certify<betting>\(router, sample, level\)
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/betting.hpp>

namespace ur = uniroute;

void promise(const ur::routing_table& table) {
  ur::router router{ur::precomputed_embeddings{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
#ifdef UNIROUTE_EXPECT_OK
  ur::certify<ur::betting>(router, table, ur::confidence_level{0.95});
#else
  ur::certify(router, table, ur::confidence_level{0.95});
#endif
}
