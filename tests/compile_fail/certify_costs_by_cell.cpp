// expect: certify: Costs must be mean_cost: cell certificates need one cost per model
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/cell_cost.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/exact_binomial.hpp>

#ifdef UNIROUTE_EXPECT_OK
using costs = uniroute::mean_cost;
#else
using costs = uniroute::cell_cost;
#endif

void promise(const uniroute::binary_routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{}, uniroute::lagrangian_rule{},
                          costs{}};
  uniroute::certify<uniroute::exact_binomial>(router, table, uniroute::confidence_level{0.95});
}
