// Where xtensor 0.26 has its containers; leads to the xtensor that is installed, of whatever version.
#define UNIROUTE_MOVED_XTENSOR
#if __has_include_next(<xtensor/containers/xtensor.hpp>)
#include_next <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif
