// How often certificates hold on real tables, whose rows are sorted: the test part of a split is the population, half
// of it the sample; at δ = .05, with rows as they lie, sorted by loss, and shuffled. usage: table_coverage TABLE...
// [--splits N] ctest: --simulated --splits 2

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <uniroute/files.hpp>
#include <vector>

#include "theory/table_coverage.hpp"

int main(int argc, char** argv) {
  std::vector<std::string> folders;
  std::size_t splits = 400;
  bool simulated = false;
  CLI::App app{"How often certificates hold on real tables, in any order of rows"};
  app.add_option("tables", folders, "routing tables (docs/data.md has the format)");
  app.add_option("--splits", splits, "splits of each table")->capture_default_str();
  app.add_flag("--simulated", simulated, "a table of the simulated world as well");
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<uniroute::routing_table> tables;
    for (const auto& folder : folders) tables.push_back(uniroute::read_routing_table(folder));
    if (simulated) tables.push_back(uniroute::simulated_world{{.dimension = 8}}.sample(1000, 1).table);
    if (tables.empty()) {
      std::fprintf(stderr, "table_coverage: no table is given, but at least one must be (or --simulated)\n");
      return 2;
    }
    std::printf("| table | rows |");
    for (const char* statement : table_coverage::statements) std::printf(" %s |", statement);
    std::printf("\n|---|---|");
    for (std::size_t s = 0; s < table_coverage::statements.size(); ++s) std::printf("--:|");
    std::printf("\n");
    const bool terminal = isatty(STDERR_FILENO) != 0;
    for (const auto& table : tables) {
      for (const auto& [order, name] : {std::pair{table_coverage::row_order::as_they_lie, "as they lie"},
                                        std::pair{table_coverage::row_order::by_loss, "by loss"},
                                        std::pair{table_coverage::row_order::shuffled, "shuffled"}}) {
        const auto tally = table_coverage::count(table, splits, order, 0.05, [&, label = name](std::size_t done) {
          if (terminal) std::fprintf(stderr, "\r%s, %s: %zu of %zu ", table.name().c_str(), label, done, splits);
        });
        if (terminal) std::fprintf(stderr, "\r\033[K");
        std::printf("| %s | %s |", table.name().c_str(), name);
        for (const std::size_t held : tally.held)
          std::printf(" %.3f |", static_cast<double>(held) / static_cast<double>(tally.splits));
        std::printf("\n");
        std::fflush(stdout);
      }
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "table_coverage: %s\n", error.what());
    return 1;
  }
}
