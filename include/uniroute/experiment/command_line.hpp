#pragma once

// A comparison as a program: `int main(int argc, char** argv) { return uniroute::run_comparison(argc, argv, {…}); }`.
// Needs CLI11: link the CMake target uniroute::command_line.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <uniroute/experiment/comparison.hpp>
#include <uniroute/experiment/encoders.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/methods.hpp>
#include <uniroute/experiment/source.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The options that every job takes.
inline void add_options(CLI::App& app, experiment_settings& s) {
  app.add_option("--data", s.data, "directory of a routing table (docs/data.md); none: a simulated world");
  app.add_option("--variant", s.variant, "read outcomes_VARIANT.csv and so on, e.g. union");
  app.add_option("--cost", s.cost,
                 "table: what its files say; params: params_b of models.csv; 1: every prompt and model")
      ->check(CLI::IsMember({"table", "params", "1"}))
      ->capture_default_str();
  app.add_option("--encoder", s.encoder, encoder_help)->capture_default_str();
  app.add_option("--model", s.model.model, "folder of a BERT-family model; none: all-MiniLM-L6-v2 in the cache");
  app.add_option("--trials", s.trials, "random splits")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--validation", s.validation, "prompts on which every LLM is run once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--together", s.together,
                 "a column of models.csv, e.g. base_model: LLMs that are equal there are new together");
  app.add_flag("--static-pool", s.static_pool, "hide no LLM: all are known, as most papers have it");
  app.add_option("--seed", s.seed, "same seed, same numbers")->capture_default_str();
  app.add_option("--threads", s.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
}

/// Parses, or prints what is wrong (or the help) and exits.
inline void parse_options(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
}

/// Runs a job and returns the exit status of a program: what it returns, or 1 after an error, which is a line on stderr
/// with the job's name once.
template <class Job>
int run_job(const std::string& job, Job&& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    const std::string what = error.what();
    std::fprintf(stderr, "%s%s\n", what.starts_with(job + ": ") ? "" : (job + ": ").c_str(), what.c_str());
    return 1;
  }
}

/// A comparison with the options of the command line; --studies where it has studies. Returns the exit status.
/// `settings`: defaults. `open`: where prompts and outcomes come from, once the options are read; none:
/// `open_experiment`.
inline int run_comparison(int argc, char** argv, comparison what = {}, comparison_settings settings = {},
                          const std::function<experiment_source(const comparison_settings&)>& open = {}) {
  auto s = std::move(settings);
  if (s.out.empty()) s.out = "out/" + what.job;
  CLI::App app{what.title};
  add_options(app, s);
  std::vector<std::string> names;
  for (const auto& m : what.methods) {
    if (m.role != method_role::reference) names.push_back(m.name);
  }
  app.add_option("--methods", s.methods, "only these of the methods, joined by commas; the references always run")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  std::vector<std::string> studies;
  for (const auto& study : what.studies) studies.push_back(study.name);
  studies.push_back("all");
  if (!what.studies.empty()) {
    app.add_option("--studies", s.studies, "also: static, validation, clusters, shift, missing, or all")
        ->check(CLI::IsMember(studies))
        ->delimiter(',');
    app.add_option("--study-trials", s.study_trials, "random splits for each point of a study")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }
  parse_options(app, argc, argv);
  return run_job(what.job, [&] {
    if (open) {
      run_comparison(what, s, [&] { return open(s); });
    } else {
      run_comparison(what, s);
    }
    return 0;
  });
}

}  // namespace uniroute
