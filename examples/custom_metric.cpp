// A metric of your own: what share of the dearest LLM's cost buys 95% of the best quality that is on offer.
// ctest: --trials 2 --validation 100 --out out

#include <uniroute/experiment/command_line.hpp>

namespace ur = uniroute;

int main(int argc, char** argv) {
  const ur::named_metric mine{"cost_of_95_percent", "cost of 95% of the peak",
                              [](const ur::curve_view& v) -> ur::metric {
                                if (v.pool().is_degenerate()) return std::nullopt;
                                const auto cost = v.function().cost_of(0.95 * v.function().peak());
                                return cost ? ur::metric(*cost / v.pool().dearest_cost) : std::nullopt;
                              },
                              ur::metric_summary::when_reached};
  return ur::run_comparison(argc, argv,
                            {.title = "A metric beside the others",
                             .methods = {ur::zero_router(), ur::methods::tuned_knn(), ur::methods::tuned_soft()},
                             .metrics = {mine},
                             .job = "custom_metric"});
}
