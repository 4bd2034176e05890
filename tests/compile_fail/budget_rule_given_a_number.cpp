// expect: budget_rule: options are named: budget_rule\{\{.budget = .002\}\}
#include <uniroute/route/budget_rule.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto policy = ur::budget_rule{{.budget = .002}};
#else
const auto policy = ur::budget_rule{.002};
#endif
