// expect: transformed_kernel: Transform must model embedding_transform
#include <uniroute/predict/kernels.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using transform = ur::skills;
#else
using transform = ur::linear_kernel;
#endif

ur::transformed_kernel<transform, ur::linear_kernel> kernel;
