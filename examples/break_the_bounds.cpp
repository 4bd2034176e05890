// Tries to break every bound of docs/theory.md, for as long as wanted: random worlds and hill-climbing. Writes a page
// and results.json; the published forms are there to show that what can be broken breaks. usage: break_the_bounds
// [--seconds S | --steps N] [--seed S] [--out DIR] ctest: --steps 300 --out out

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <uniroute/bound/counterexample_search.hpp>
#include <uniroute/data/write_routing_table.hpp>
#include <uniroute/report/report.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

/// Whether a search found what it should: a bound of ours stands, a published form that is false breaks.
std::string verdict(const ur::counterexample_search& s) {
  if (s.what().refuted) return s.broken() ? "broken, as it must be" : "not broken yet";
  return s.broken() ? "BROKEN" : "stands";
}

void print(const std::vector<ur::counterexample_search>& searches) {
  for (const auto& s : searches)
    std::printf("%-80s %9zu worlds  closest %.6f  %s\n", s.what().name.c_str(), s.steps(), s.closest().ratio(),
                verdict(s).c_str());
}

nlohmann::ordered_json results(const std::vector<ur::counterexample_search>& searches, std::uint64_t seed) {
  nlohmann::ordered_json out;
  out["seed"] = seed;
  out["claims"] = nlohmann::ordered_json::array();
  for (const auto& s : searches)
    out["claims"].push_back({{"claim", s.what().name},
                             {"published_and_false", s.what().refuted},
                             {"worlds", s.steps()},
                             {"closest_ratio", s.closest().ratio()},
                             {"truth", s.closest().truth},
                             {"bound", s.closest().bound},
                             {"broken", s.broken()},
                             {"point", s.closest_point()}});
  return out;
}

std::string page(const std::vector<ur::counterexample_search>& searches, std::uint64_t seed) {
  ur::html_page out("Worlds that come closest to breaking a bound");
  std::size_t ours = 0, broken = 0;
  std::vector<std::vector<std::string>> rows{{"claim", "worlds", "closest: truth / bound", "verdict"}};
  std::vector<bool> strong{false};
  std::vector<ur::chart_interval> marks;
  for (const auto& s : searches) {
    ours += s.what().refuted ? 0u : 1u;
    broken += !s.what().refuted && s.broken() ? 1u : 0u;
    rows.push_back({s.what().name, std::to_string(s.steps()), ur::detail::fixed(s.closest().ratio(), 6), verdict(s)});
    strong.push_back(!s.what().refuted && s.broken());
    const double ratio = std::min(s.closest().ratio(), 3.0);
    marks.push_back({ur::detail::shortened(s.what().name, 24), ratio, ratio, ratio, s.broken()});
  }
  out.paragraph(ur::detail::text(ours - broken, " of ", ours, " bounds of ours stand, seed ", seed,
                                 ". A ratio of 1 is a world in which the bound is tight; above 1, beyond rounding (",
                                 ur::claim_value::tolerance, "), it is broken."));
  out.figure(ur::interval_chart(marks, "Closest ratio of truth to bound", "truth / bound (at most 3 is drawn)"),
             "Filled marks are broken: only published forms that docs/theory.md shows to be false may be.");
  out.table(rows, strong);
  return std::move(out).finish();
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 60;
  std::size_t steps = 0;
  std::uint64_t seed = 1;
  std::string folder = "out/break_the_bounds";
  CLI::App app{"Tries to break the bounds"};
  app.add_option("--seconds", seconds, "how long; 0: until interrupted")->capture_default_str();
  app.add_option("--steps", steps, "worlds a bound instead; 0: by time")->capture_default_str();
  app.add_option("--seed", seed, "same seed, same worlds")->capture_default_str();
  app.add_option("--out", folder, "directory to write")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    ur::staged_directory staged("break_the_bounds", folder, "results.json");
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
    staged.write("results.json", results(searches, seed).dump(1) + "\n");
    staged.write("index.html", page(searches, seed));
    staged.commit();
    std::printf("\n%sLook at %s\n", wrong ? "A bound of ours is broken: please report the seed. " : "",
                (std::filesystem::path(folder) / "index.html").string().c_str());
    return wrong ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "break_the_bounds: %s\n", error.what());
    return 1;
  }
}
