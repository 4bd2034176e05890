// expect: stratified_design: Clustering must model clustering: fit\(embeddings\)
#include <uniroute/enroll/stratified_design.hpp>
#include <uniroute/map/nearest_map.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using cells = ur::kmeans<>;
#else
using cells = ur::nearest_map;
#endif

ur::stratified_design<cells> design() { return ur::stratified_design<cells>({}, cells{}); }
