// expect: certify: a ladder has no choice in a cell
#include <uniroute/bound/certify.hpp>
#include <uniroute/bound/certify_ladder.hpp>
#include <uniroute/stats/betting.hpp>

namespace ur = uniroute;

double bound(const ur::threshold_cascade& cascade, const ur::ladder_run& run, const ur::routing_table& table) {
#ifdef UNIROUTE_EXPECT_OK
  static_cast<void>(cascade);
  const std::vector<std::string> models{"a", "b"};
  return ur::certify_ladder(run, models, ur::held_out{table}, ur::against::best_single{}, ur::confidence_level{.95}, {})
      .bound;
#else
  static_cast<void>(run);
  return ur::certify<ur::betting>(cascade, table, ur::confidence_level{.95}).gap_adaptive;
#endif
}
