// Fixed hyper-parameters under the prototype's convention, as in docs/results.md: is this implementation the same
// method as an independent one?

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/experiment/methods.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#include <vector>

namespace ur = uniroute;

int main(int argc, char** argv) {
  std::string data;
  std::size_t trials = 100, hard = 10, soft = 25, neighbours = 100;
  CLI::App app{"Gains of normalised area over ZeroRouter with fixed hyper-parameters"};
  app.add_option("--data", data, "directory of a routing table with embeddings")->required();
  app.add_option("--trials", trials, "random splits")->capture_default_str();
  app.add_option("--hard", hard, "K of hard cells, unshrunk")->capture_default_str();
  app.add_option("--soft", soft, "K of soft cells, shrunken")->capture_default_str();
  app.add_option("--neighbours", neighbours, "k of K-NN")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const auto table = ur::read_routing_table(data);
    ur::detail::require(table.has_embeddings(), "prototype_check: table '", table.name(), "' has no embeddings.npy");
    const ur::method_list methods{ur::zero_router(), ur::methods::kmeans_hard(hard), ur::methods::kmeans_soft(soft),
                                  ur::methods::knn(neighbours)};
    const auto result = ur::run_protocol(table, [&](auto) { return table.embeddings(); }, methods, {.trials = trials});
    const auto& zero = result.method("zero_router");
    for (const auto& m : result.methods) {
      if (m.name.find('=') == std::string::npos) continue;
      std::vector<double> prototype;
      for (std::size_t t = 0; t < trials; ++t)
        prototype.push_back(m.trials[t].of("narea_prototype").value_or(0) -
                            zero.trials[t].of("narea_prototype").value_or(0));
      const auto gain = ur::corrected_resampled_t(prototype, result.rho);
      std::printf("%-22s  %+.4f  [%+.4f, %+.4f]\n", m.name.c_str(), gain.mean, gain.low, gain.high);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "prototype_check: %s\n", error.what());
    return 1;
  }
}
