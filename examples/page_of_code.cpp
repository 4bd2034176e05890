// The page of code of the README: fit on some LLMs, enrol others, route a prompt, certify the router.
// usage: page_of_code [DIR of a routing table of 0-1 outcomes; none: a simulated world]
// ctest:

#include <cstdio>
#include <exception>
#include <string>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

int main(int argc, char** argv) {
  try {
    const auto table = argc > 1 ? ur::read_routing_table(argv[1]) : ur::simulated_world{}.sample(3000, 1).table;
    const auto split = ur::split(ur::as_binary(table), {.seen_models = 2.0 / 3, .seed = 1});

    ur::router router{ur::hashed_tfidf{{.dimension = 256}},   // prompts    -> embeddings
                      ur::kmeans{{.clusters = 20}},           // embeddings -> cells
                      ur::nearest_map{},                      // embeddings -> memberships
                      ur::shrunken_mean{},                    // outcomes   -> error per cell
                      ur::lagrangian_rule{{.lambda = 0.2}}};  // argmin predicted loss + lambda * cost
    router.fit(split.train);                                  // prompts, and outcomes of the LLMs seen
    router.enroll(split.validation, split.unseen);            // new LLMs: no refit

    const auto choice = router.route("Prove that the square root of 2 is irrational.");
    std::printf("%s, at %g a prompt, fails with probability %.2f\n", std::string(choice.model).c_str(), choice.cost,
                choice.predicted_loss);
    const auto certificate = ur::certify<ur::exact_binomial>(router, split.validation, ur::confidence_level{0.95});
    std::printf("excess risk to the best rule on these cells: at most %.3f, with probability 95%%\n",
                certificate.gap_adaptive);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "page_of_code: %s\n", error.what());
    return 1;
  }
}
