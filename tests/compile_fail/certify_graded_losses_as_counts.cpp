// expect: certify: Interval assumes 0-1 losses, but the table's may be graded: use as_binary\(table\)
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/exact_binomial.hpp>

#ifdef UNIROUTE_EXPECT_OK
using table_type = uniroute::binary_routing_table;
#else
using table_type = uniroute::routing_table;
#endif

void promise(const table_type& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::kmeans{}, uniroute::nearest_map{},
                          uniroute::shrunken_mean{}, uniroute::lagrangian_rule{}};
  uniroute::certify<uniroute::exact_binomial>(router, table, uniroute::confidence_level{0.95});
}
