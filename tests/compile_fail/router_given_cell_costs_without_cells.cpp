// expect: router: Costs must model cost_estimate_for<Costs, Predictor>: .* \(cell_cost needs a cell-based predictor\)
#include <uniroute/encode/hashed_tfidf.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/route.hpp>

namespace ur = uniroute;

#ifdef UNIROUTE_EXPECT_OK
using predictor = ur::cell_predictor<>;
#else
using predictor = ur::knn;
#endif

ur::router router{ur::hashed_tfidf{}, predictor{}, ur::lagrangian_rule{}, ur::cell_cost{}};
