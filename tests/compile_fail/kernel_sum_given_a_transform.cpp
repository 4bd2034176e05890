// expect: kernel_sum: Second must model kernel
#include <uniroute/predict/kernels.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using second = ur::rbf_kernel;
#else
using second = ur::skills;
#endif

ur::kernel_sum<ur::linear_kernel, second> sum;
