// Times kernels and their limits in random turns, prints each ratio and writes ratios.json.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <ratio.hpp>
#include <sstream>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

/// Keeps the time of every repetition, and shows what Google Benchmark shows.
class collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration && !run.error_occurred)
        times_[run.run_name.function_name].push_back(run.GetAdjustedRealTime());
    }
    ConsoleReporter::ReportRuns(runs);
  }

  /// The median over repetitions; 0 if it was not run.
  double median(const std::string& name) const {
    const auto found = times_.find(name);
    if (found == times_.end()) return 0;
    std::vector<double> times = found->second;
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> times_;
};

/// The lines of a file of tab-separated fields; none if there is no file.
std::vector<std::vector<std::string>> read_fields(const std::string& path) {
  std::vector<std::vector<std::string>> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    out.emplace_back();
    for (std::string field; std::getline(fields, field, '\t');) out.back().push_back(field);
  }
  return out;
}

/// Takes "--name value" out of the arguments.
std::string take_option(std::vector<char*>& arguments, const char* name) {
  for (std::size_t i = 1; i + 1 < arguments.size(); ++i) {
    if (std::strcmp(arguments[i], name) != 0) continue;
    std::string value = arguments[i + 1];
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    arguments.erase(at, at + 2);
    return value;
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fprintf(stderr, "benchmarks: assertions are on, but must be off (NDEBUG): use ./benchmarks/run\n");
  return 1;
#endif
  // Freed memory is kept. Otherwise the allocator gives it back or not by what ran before, and kernels of a millisecond
  // differ by half of it in page faults.
#ifdef __GLIBC__
  if (mallopt(M_MMAP_THRESHOLD, 1 << 30) == 0) mallopt(M_MMAP_THRESHOLD, 1 << 25);  // the most of older ones
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
  std::vector<char*> arguments{argv, argv + argc};
  const std::string out = take_option(arguments, "--out");
  // Rows measured elsewhere (name, ratio, target, limit), and what peers reached (name, text).
  const auto rows = read_fields(take_option(arguments, "--rows"));
  std::map<std::string, std::string> peers;
  for (const auto& fields : read_fields(take_option(arguments, "--peers"))) {
    if (fields.size() == 2) peers[fields[0]] = fields[1];
  }
  // Machines drift: kernels and limits take turns, and the median of five counts. Options given later win.
  std::string repetitions = "--benchmark_repetitions=5", turns = "--benchmark_enable_random_interleaving=true",
              aggregates = "--benchmark_report_aggregates_only=false";
  for (std::string* option : {&aggregates, &turns, &repetitions})
    arguments.insert(arguments.begin() + 1, option->data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  collector times;
  benchmark::RunSpecifiedBenchmarks(&times);

  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::printf("\n%-28s %8s %8s  %-46s %s\n", "kernel", "ratio", "target", "limit", "peers");
  const auto report = [&](const uniroute_benchmarks::ratio& r, double value) {
    const std::string target = r.target ? std::to_string(*r.target).substr(0, 4) : "";
    std::printf("%-28s %8.3f %8s  %-46s %s\n", r.name.c_str(), value, target.c_str(), r.limit.c_str(),
                peers[r.name].c_str());
    json.push_back({{"name", r.name},
                    {"ratio", value},
                    {"limit", r.limit},
                    {"target", r.target ? nlohmann::ordered_json(*r.target) : nlohmann::ordered_json(nullptr)},
                    {"peers", peers[r.name]}});
  };
  for (const auto& r : uniroute_benchmarks::ratios()) {
    const double kernel = times.median(r.name), limit = times.median(r.name + "/limit");
    if (kernel > 0 && limit > 0) report(r, kernel / limit);
  }
  for (const auto& fields : rows) {
    if (fields.size() == 4) report({fields[0], fields[3], std::stod(fields[2])}, std::stod(fields[1]));
  }
  if (!out.empty()) {
    const auto path = std::filesystem::path(out) / "ratios.json";
    std::ofstream file(path);
    file << json.dump(1) << "\n";
    if (!file.flush()) {
      std::fprintf(stderr, "benchmarks: %s cannot be written\n", path.string().c_str());
      return 1;
    }
    std::printf("\nWritten to %s; one BLAS thread, one thread of ours\n", path.string().c_str());
  }
  return 0;
}
