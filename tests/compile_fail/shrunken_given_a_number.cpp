// expect: shrunken: options are named: shrunken\{\{.strength = 5\}\}
#include <uniroute/estimate/shrunken.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto policy = ur::shrunken_mean{{.strength = 5}};
#else
const auto policy = ur::shrunken_mean{5};
#endif
