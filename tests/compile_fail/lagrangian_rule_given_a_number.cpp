// expect: lagrangian_rule: options are named: lagrangian_rule\{\{.lambda = 2\}\}
#include <uniroute/route/lagrangian_rule.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto policy = ur::lagrangian_rule{{.lambda = .2}};
#else
const auto policy = ur::lagrangian_rule{.2};
#endif
