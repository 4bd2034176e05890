// expect: router::route: texts need an encoder as the router's first argument, but Reader only takes embeddings
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using reader = ur::hashed_tfidf;
#else
using reader = ur::precomputed_embeddings;
#endif

std::vector<std::uint32_t> choose(std::span<const std::string> prompts) {
  const ur::router router{reader{}, ur::cell_predictor<>{}, ur::lagrangian_rule{}};
  return router.route(prompts);
}
