// The standard library and the libraries that uniroute stands on come before the macros below: they are not ours to
// harden. Then everything of uniroute, in which none of these words may occur.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xflens/cxxblas/drivers/cblas.h>
#include <xflens/cxxlapack/netlib/netlib.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <boost/math/special_functions/beta.hpp>
#include <cctype>
#include <charconv>
#include <complex>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <typeindex>
#include <unordered_map>
#include <variant>
#include <vector>
#include <xtensor/xtensor.hpp>

#define HOSTILE )( a macro of another library stands here )(

// windows.h and what it includes. (min and max are missing: uniroute calls std::min and std::max as everybody does, and
// asks for NOMINMAX.)
#define small HOSTILE
#define far HOSTILE
#define interface HOSTILE
#define IN HOSTILE
#define OUT HOSTILE
#define OPTIONAL HOSTILE
#define CONST HOSTILE
#define DELETE HOSTILE
#define ERROR HOSTILE
#define TRUE HOSTILE
#define FALSE HOSTILE
#define VOID HOSTILE
// math.h
#define DOMAIN HOSTILE
#define OVERFLOW HOSTILE
#define UNDERFLOW HOSTILE
#define PLOSS HOSTILE
#define TLOSS HOSTILE
// sys/sysmacros.h, and GNU dialects
#undef major
#undef minor
#undef makedev
#undef linux
#undef unix
#define major HOSTILE
#define minor HOSTILE
#define makedev HOSTILE
#define linux HOSTILE
#define unix HOSTILE
// ctype.h of some C libraries
#define _A HOSTILE
#define _B HOSTILE
#define _C HOSTILE
#define _L HOSTILE
#define _N HOSTILE
#define _S HOSTILE
#define _U HOSTILE
#define _X HOSTILE
// X11, Qt, R and test frameworks
#define None HOSTILE
#define Bool HOSTILE
#define Status HOSTILE
#define Success HOSTILE
#define emit HOSTILE
#define signals HOSTILE
#define slots HOSTILE
#define foreach HOSTILE
#define forever HOSTILE
#define CHECK HOSTILE
#define REQUIRE HOSTILE
#define verify HOSTILE
#define assert_ HOSTILE

#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/experiment/files.hpp>
#include <uniroute/experiment/methods.hpp>
#include <uniroute/files.hpp>
#include <uniroute/ladders.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

std::size_t cells_of_second() { return uniroute::kmeans<>{}.options().clusters; }
