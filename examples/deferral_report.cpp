// The main job: deferral curves of the paper's methods and of the library's best on a routing table, with LLMs that no
// method has seen, as a page to look at and JSON to compute with. All methods: paper_protocol.
// ctest: --trials 2 --validation 200 --out out

#include <uniroute/experiment/command_line.hpp>

namespace ur = uniroute;

int main(int argc, char** argv) {
  return ur::run_comparison(argc, argv,
                            {.title = "Routing among unseen LLMs",
                             .methods = {ur::zero_router(), ur::best_single(), ur::cheapest(), ur::methods::tuned_knn(),
                                         ur::methods::tuned_hard(), ur::methods::tuned_soft(), ur::methods::selected()},
                             .focus = "selected",
                             .job = "deferral_report"},
                            // As many as two minutes on two cores allow, compiling included.
                            {{.trials = 60}});
}
