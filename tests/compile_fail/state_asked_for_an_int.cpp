// expect: state: T must be bool, std::uint64_t, double, std::string, a std::vector of
#include <uniroute/state.hpp>

#ifdef UNIROUTE_EXPECT_OK
using number = double;
#else
using number = int;
#endif

number read(const uniroute::state& s) { return s.get<number>("lambda"); }
