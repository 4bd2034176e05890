// expect: cascade_method: MakeJudge.trial. must return a judge
#include <uniroute/experiment/ladder_method.hpp>

namespace ur = uniroute;

ur::routing_method cascade() {
#ifdef UNIROUTE_EXPECT_OK
  return ur::cascade_method("cascade", [](const ur::trial_data&) { return ur::noisy_judge(.1, 1); });
#else
  return ur::cascade_method("cascade", [](const ur::trial_data&) { return .1; });
#endif
}
