// Tries to break every bound of docs/theory.md, for as long as wanted: random worlds and hill-climbing. Prints the
// closest ratio of truth to bound found so far; the published forms are there to show that what can be broken breaks.
// usage: break_the_bounds [--seconds S | --steps N] [--seed S]
// ctest: --steps 300

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <uniroute/bound/counterexample_search.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

void print(const std::vector<ur::counterexample_search>& searches) {
  for (const auto& s : searches)
    std::printf("%-80s %9zu worlds  closest %.6f%s\n", s.what().name.c_str(), s.steps(), s.closest().ratio(),
                s.broken() ? "  BROKEN" : "");
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 60;
  std::size_t steps = 0;
  std::uint64_t seed = 1;
  CLI::App app{"Tries to break the bounds"};
  app.add_option("--seconds", seconds, "how long; 0: until interrupted")->capture_default_str();
  app.add_option("--steps", steps, "worlds a bound instead; 0: by time")->capture_default_str();
  app.add_option("--seed", seed, "same seed, same worlds")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<ur::counterexample_search> searches;
    for (const auto& claim : ur::standard_claims()) searches.emplace_back(claim, seed);
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    double shown = 0;
    for (std::size_t done = 0; steps != 0 ? done < steps : seconds <= 0 || elapsed() < seconds; done += 100) {
      for (auto& search : searches) search.run(100);
      if (elapsed() - shown < (terminal ? 2 : 60)) continue;
      shown = elapsed();
      if (terminal) std::printf("\033[2J\033[H");
      std::printf("%.0f s\n", shown);
      print(searches);
      std::fflush(stdout);
    }
    if (terminal) std::printf("\n");
    print(searches);
    bool wrong = false;
    for (const auto& s : searches) wrong = wrong || (s.broken() && !s.what().refuted);
    if (wrong) std::printf("A bound of ours is broken: please report the seed.\n");
    return wrong ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "break_the_bounds: %s\n", error.what());
    return 1;
  }
}
