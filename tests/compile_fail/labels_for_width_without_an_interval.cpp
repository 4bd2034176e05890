// expect: labels_for_width: name an interval, labels_for_width<betting>\(width, cells, models, level\)
#include <uniroute/bound/planning.hpp>
#include <uniroute/stats/betting.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
const auto labels = ur::labels_for_width<ur::betting>(.1, 8, 10, ur::confidence_level{.95});
#else
const auto labels = ur::labels_for_width(.1, 8, 10, ur::confidence_level{.95});
#endif
