// expect: transformed_kernel: Kernel must model kernel
#include <uniroute/predict/gaussian_process.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/transform/skills.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using kernel = ur::rbf_kernel;
#else
using kernel = ur::knn;
#endif

ur::transformed_kernel<ur::skills, kernel> of_skills;
