// expect: concatenation: Second must model embedding_transform
#include <uniroute/predict/kernels.hpp>
#include <uniroute/transform/concatenation.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using second = ur::raw_embedding;
#else
using second = ur::linear_kernel;
#endif

ur::concatenation<ur::raw_embedding, second> both;
