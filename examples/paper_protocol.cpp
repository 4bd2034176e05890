// The paper's protocol with every method: which routes best among LLMs that none has seen, and does it hold with fewer
// labels, other K, a pool that does not change, other prompts than it was fitted on, and missing outcomes (--studies).
// The same command goes on with an interrupted run.
// ctest: --trials 2 --validation 200 --studies all --study-trials 1 --out out

#include <uniroute/experiment/command_line.hpp>

namespace ur = uniroute;

int main(int argc, char** argv) {
  return ur::run_comparison(argc, argv,
                            {.title = "Every method on unseen LLMs",
                             .methods = ur::standard_methods(),
                             .focus = "selected",
                             .studies = ur::standard_studies(),
                             .job = "paper_protocol"});
}
