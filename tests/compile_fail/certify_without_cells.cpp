// expect: certify: the router's Predictor must model cell_based
#include <uniroute/bound/certify.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/exact_binomial.hpp>

#ifdef UNIROUTE_EXPECT_OK
using predictor_type = uniroute::cell_predictor<>;
#else
using predictor_type = uniroute::knn;
#endif

void promise(const uniroute::binary_routing_table& table) {
  uniroute::router router{uniroute::precomputed_embeddings{}, predictor_type{}, uniroute::lagrangian_rule{}};
  uniroute::certify<uniroute::exact_binomial>(router, table, uniroute::confidence_level{0.95});
}
