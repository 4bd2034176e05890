// Ten lines outside the tree: a method of one's own beside standard ones, with JSON and a page.
#include <uniroute/experiment/command_line.hpp>

namespace ur = uniroute;

int main(int argc, char** argv) {
  const ur::routing_method mine{"mine", [](const ur::trial_data& t) {
                                  auto out = ur::zero_router().predict(t);
                                  for (double& loss : out.losses) loss = 1 - loss;  // always wrong
                                  return out;
                                }};
  return ur::run_comparison(argc, argv,
                            {.title = "Mine beside the others",
                             .methods = {ur::zero_router(), ur::methods::tuned_soft(), mine},
                             .focus = "mine"});
}
