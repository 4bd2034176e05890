// expect: certify_held_out: Interval must hold for bounded losses
#include <uniroute/bound/certify_held_out.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/stats/exact_binomial.hpp>
#include <uniroute/stats/hoeffding.hpp>

#ifdef UNIROUTE_EXPECT_OK
using kind = uniroute::hoeffding;
#else
using kind = uniroute::exact_binomial;
#endif

void promise(uniroute::held_out<uniroute::binary_loss> sample) {
  uniroute::router router{uniroute::precomputed_embeddings{}, uniroute::cell_predictor<>{},
                          uniroute::lagrangian_rule{}};
  uniroute::certify_held_out<kind>(router, std::move(sample), uniroute::confidence_level{0.95});
}
