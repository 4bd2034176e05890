// The page of code of the README: fit on some LLMs, enrol others, route a prompt, and what can be promised.
// usage: page_of_code [DIR of a routing table; none: a simulated world]
// ctest:

#include <cstdio>
#include <exception>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

int main(int argc, char** argv) {
  try {
    const auto table = argc > 1 ? ur::read_routing_table(argv[1]) : ur::simulated_world{}.sample(3000, 1).table;
    const auto split = ur::split(table, {.seen_models = 2.0 / 3, .seed = 1});

    // Half of what the dearest of the new LLMs costs a prompt may be spent, in the mean.
    double budget = 0;
    for (const auto& model : split.unseen) budget = std::max(budget, split.validation.mean_cost(model) / 2);

    ur::router router{ur::hashed_tfidf{{.dimension = 256}},  // prompts    -> embeddings
                      ur::kmeans{{.clusters = 20}},          // embeddings -> cells
                      ur::nearest_map{},                     // embeddings -> memberships
                      ur::shrunken_mean{},                   // outcomes   -> error per cell
                      ur::budget_rule{{.budget = budget}}};  // argmin loss + lambda * cost, lambda as the budget allows
    router.fit(split.train);                                 // prompts, and outcomes of the LLMs seen
    router.enroll(split.validation, split.unseen);           // new LLMs: no refit
    router.calibrate(split.validation);                      // finds lambda, quality per unit of cost; reads no outcome

    const auto choice = router.route("Prove that the square root of 2 is irrational.");
    std::printf("%s, at %g a prompt, fails with probability %.2f\n", std::string(choice.model).c_str(), choice.cost,
                choice.predicted_loss);

    // What that buys, and what can be promised of it, on prompts that nobody has seen.
    const auto held =
        ur::certify_held_out(router, ur::held_out{split.test}, ur::confidence_level{0.95}, {.lambda = 0.0});
    const auto best = held.single[held.best_single];
    std::printf("fails on %.1f%% of prompts at %.0f%% of the cost of the best single LLM, which fails on %.1f%%\n",
                100 * held.mean.loss, 100 * held.mean.cost / best.cost, 100 * best.loss);
    std::printf("with probability 95%%: fails on %.1f%% to %.1f%%, at most %.1f points more than the best single LLM\n",
                100 * held.risk.lower, 100 * held.risk.upper, 100 * held.to_best_single.upper);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "page_of_code: %s\n", error.what());
    return 1;
  }
}
