// expect: gaussian_process: Kernel must model kernel
#include <uniroute/predict/gaussian_process.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using kernel = ur::transformed_kernel<ur::skills, ur::linear_kernel>;
#else
using kernel = ur::skills;
#endif

ur::gaussian_process<kernel> predictor;
