// expect: cell_predictor: Map must model cluster_map: .* labels/label \(hard\) or memberships/membership \(soft\)
#include <uniroute/predict/cell_predictor.hpp>

// A map that has every member but does not say whether its memberships are hard or soft.
struct undecided_map : public uniroute::nearest_map {
#ifndef UNIROUTE_EXPECT_OK
  using membership_type = void;
#endif
};

uniroute::cell_predictor<uniroute::kmeans<>, undecided_map> predictor;
