// Macros that other libraries leave lying about; the standard library and the libraries that uniroute stands on are
// included before them, as they are not ours to harden.
#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>
#include <xflens/cxxblas/drivers/cblas.h>
#include <xtensor/xtensor.hpp>

#define E hostile
#define I hostile
#define K hostile
#define N_ hostile
#define T_ hostile
#define check hostile
#define verify hostile
#define assert_ hostile
#define ERROR hostile
#define DOMAIN hostile
#define OVERFLOW hostile
#define near_ hostile
#define far hostile

#include <uniroute/cluster/cluster.hpp>
#include <uniroute/estimate/estimate.hpp>
#include <uniroute/evaluate/evaluate.hpp>
#include <uniroute/map/map.hpp>
#include <uniroute/predict/predict.hpp>

std::size_t cells_of_second() { return uniroute::kmeans<>{}.options().clusters; }
