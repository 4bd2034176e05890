#pragma once

// What a job says while it runs and when it is done.

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/experiment/source.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One line that grows on a terminal, a line every 20% elsewhere. On stderr. Not thread-safe.
class progress_bar {
 public:
  /// `of`: what is counted.
  explicit progress_bar(std::string of = "trials") : of_(std::move(of)) {}

  /// Draws the bar where it has moved by a percent.
  void show(std::size_t done, std::size_t all) {
    const std::size_t percent = all == 0 ? 100 : done * 100 / all;
    if (percent == last_) return;
    last_ = percent;
    if (!terminal_ && percent % 20 != 0) return;
    std::fprintf(stderr, "%s[%-40s] %3zu%%  %zu of %zu %s%s", terminal_ ? "\r" : "",
                 std::string(percent * 40 / 100, '#').c_str(), percent, done, all, of_.c_str(),
                 terminal_ && done != all ? "" : "\n");
  }

 private:
  std::string of_;
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::size_t last_ = 101;
};

/// Prints rows in columns, the first to the left, the others to the right; of longer rows the first `columns` entries.
inline void print_table(const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
  std::vector<std::size_t> width(columns, 0);
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < columns; ++j) width[j] = std::max(width[j], detail::count_code_points(r[j]));
  }
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < columns; ++j) {
      const std::string pad(width[j] - detail::count_code_points(r[j]), ' ');
      std::printf(j == 0 ? "%s%s" : "  %s%s", j == 0 ? r[j].c_str() : pad.c_str(), j == 0 ? pad.c_str() : r[j].c_str());
    }
    std::printf("\n");
  }
}

/// All columns.
inline void print_table(const std::vector<std::vector<std::string>>& rows) {
  print_table(rows, rows.empty() ? 0 : rows.front().size());
}

/// What a job says of its table before it starts.
inline void announce(const experiment_source& from) {
  std::printf("%s: %zu prompts, %zu LLMs, %.1f%% of outcomes missing; encoder %s\n", from.table.name().c_str(),
              from.table.size(), from.table.model_count(), 100 * from.table.missing_share(), from.encoder.c_str());
  for (const auto& note : from.table.notes()) std::printf("%s\n", note.c_str());
  std::fflush(stdout);
}

}  // namespace uniroute
