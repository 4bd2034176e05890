// expect: leverage_design: Transform must model embedding_transform: fit\(embeddings, losses\)
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/enroll/leverage_design.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using features = ur::skills;
#else
using features = ur::kmeans<>;
#endif

ur::leverage_design<features> design() { return ur::leverage_design<features>({}, features{}); }
