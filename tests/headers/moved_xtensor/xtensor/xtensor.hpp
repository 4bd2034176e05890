// In xtensor 0.26 there is no such file; whoever still includes it fails here. (Only the fake below may go on.)
#ifndef UNIROUTE_MOVED_XTENSOR
#error "xtensor/xtensor.hpp has moved to xtensor/containers/xtensor.hpp"
#endif
#include_next <xtensor/xtensor.hpp>
