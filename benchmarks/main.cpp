// Times kernels and their limits in random turns, prints each ratio and writes ratios.json.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <ratio.hpp>
#include <string>
#include <vector>

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

}  // namespace

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fprintf(stderr, "benchmarks: assertions are on, but must be off (NDEBUG): use ./benchmarks/run\n");
  return 1;
#endif
  std::string out;
  std::vector<char*> arguments{argv, argv + argc};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (std::strcmp(arguments[i], "--out") == 0 && i + 1 < arguments.size()) {
      out = arguments[i + 1];
      arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i),
                      arguments.begin() + static_cast<std::ptrdiff_t>(i + 2));
      break;
    }
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
  std::printf("\n%-28s %8s %8s  %s\n", "kernel", "ratio", "target", "limit");
  for (const auto& r : uniroute_benchmarks::ratios()) {
    const double kernel = times.median(r.name), limit = times.median(r.name + "/limit");
    if (kernel <= 0 || limit <= 0) continue;
    const double value = kernel / limit;
    std::printf("%-28s %8.3f %8s  %s\n", r.name.c_str(), value,
                r.target ? std::to_string(*r.target).substr(0, 4).c_str() : "", r.limit.c_str());
    json.push_back({{"name", r.name},
                    {"ratio", value},
                    {"limit", r.limit},
                    {"target", r.target ? nlohmann::ordered_json(*r.target) : nlohmann::ordered_json(nullptr)}});
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
