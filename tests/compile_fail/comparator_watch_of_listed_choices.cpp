// expect: comparator_watch: Comparators must be a class of rules that is fixed beforehand
#include <uniroute/bound/comparator_watch.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/router.hpp>

namespace ur = uniroute;

using router = ur::router<ur::precomputed_embeddings, ur::knn, ur::lagrangian_rule, ur::mean_cost>;
#ifdef UNIROUTE_EXPECT_OK
using comparators = ur::against::best_single;
#else
using comparators = ur::against::rules;
#endif
double bound(const router& r, const comparators& against) {
  return ur::comparator_watch(r, against, ur::confidence_level{.95}).certificate().bound;
}
