// expect: two_layer_predictor: Form must model two_layer_form: name, width_name, rectified, options_type with training
#include <uniroute/predict/mlp.hpp>

#ifdef UNIROUTE_EXPECT_OK
using form = uniroute::rectified_form;
#else
struct form {
  using options_type = uniroute::mlp_options;
};
#endif

uniroute::two_layer_predictor<form> predictor;
