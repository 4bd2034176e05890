// expect: fixed_pool_router::route: a text needs a router with an encoder as its first argument
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using reader = ur::hashed_tfidf;
#else
using reader = ur::precomputed_embeddings;
#endif

std::size_t choose() {
  const ur::router router{reader{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
  return ur::fix_pool<2>(router, ur::threshold_rule{}).route("Prove that the square root of 2 is irrational.").index;
}
