// expect: shrunken: Base must model estimator: fit\(span of cell_statistics\), estimate\(cell_statistics\).losses
#include <uniroute/estimate/shrunken.hpp>
#include <uniroute/map/nearest_map.hpp>

#ifdef UNIROUTE_EXPECT_OK
using base = uniroute::cell_mean;
#else
using base = uniroute::nearest_map;
#endif

uniroute::shrunken<base> estimator;
