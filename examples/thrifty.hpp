#pragma once

// What the jobs on enrolment and on growing pools share: reading a table, showing progress, writing results.json's
// common parts.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <uniroute/uniroute.hpp>
#include <vector>

namespace thrifty {

namespace ur = uniroute;
using nlohmann::ordered_json;

/// Options that both jobs have.
struct settings {
  std::string data, variant, encoder = "auto", out;
  std::size_t trials = 100, validation = 400, threads = 0;
  std::uint64_t seed = 1;
};

/// `add` adds the job's own options. Ends the program on --help and on mistakes.
template <class Add>
settings read_command_line(int argc, char** argv, const std::string& what, settings s, Add&& add) {
  CLI::App app{what};
  app.add_option("--data", s.data, "directory of a routing table (docs/data.md); none: a simulated world");
  app.add_option("--variant", s.variant, "read outcomes_VARIANT.csv and so on, e.g. union");
  app.add_option("--encoder", s.encoder, "embeddings (of the table), hashed_tfidf, or auto: the first that there is")
      ->check(CLI::IsMember({"auto", "embeddings", "hashed_tfidf"}));
  app.add_option("--trials", s.trials, "random splits")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--validation", s.validation, "prompts on which an LLM may be run")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", s.seed, "same seed, same numbers")->capture_default_str();
  app.add_option("--threads", s.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
  add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return s;
}

/// A table and how its prompts become embeddings.
struct task {
  ur::routing_table table;
  std::string encoder;
  ur::embed_function embed;
};

inline task read_task(const std::string& job, const settings& s, std::size_t world_prompts = 3000) {
  task out;
  out.table = s.data.empty() ? ur::simulated_world{}.sample(world_prompts, s.seed).table
                             : ur::read_routing_table(s.data, {.variant = s.variant});
  out.encoder = s.encoder != "auto" ? s.encoder : out.table.has_embeddings() ? "embeddings" : "hashed_tfidf";
  const bool given = out.encoder == "embeddings";
  ur::detail::require(given ? out.table.has_embeddings() : out.table.has_prompts(), job, ": --encoder is ", out.encoder,
                      ", but table '", out.table.name(), "' has no ", given ? "embeddings.npy" : "prompt texts");
  if (given) {
    out.embed = [x = out.table.embeddings()](std::span<const std::size_t>) { return x; };
  } else {
    out.embed = [prompts = out.table.prompts()](std::span<const std::size_t> training) {
      std::vector<std::string> known;
      for (const std::size_t i : training) known.push_back(prompts[i]);
      ur::hashed_tfidf tfidf{{.dimension = 256}};
      tfidf.fit(known);
      return tfidf.encode(prompts);
    };
  }
  std::printf("%s: %zu prompts, %zu LLMs, %.1f%% of outcomes missing; encoder %s\n", out.table.name().c_str(),
              out.table.size(), out.table.model_count(), 100 * out.table.missing_share(), out.encoder.c_str());
  for (const auto& note : out.table.notes()) std::printf("%s\n", note.c_str());
  std::fflush(stdout);
  return out;
}

/// One line that grows on a terminal, a line every 20% elsewhere.
class progress_bar {
 public:
  void show(std::size_t done, std::size_t all) {
    const std::size_t percent = done * 100 / all;
    if (percent == last_) return;
    last_ = percent;
    if (!terminal_ && percent % 20 != 0) return;
    std::fprintf(stderr, "%s[%-40s] %3zu%%  %zu of %zu trials%s", terminal_ ? "\r" : "",
                 std::string(percent * 40 / 100, '#').c_str(), percent, done, all,
                 terminal_ && done != all ? "" : "\n");
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  std::size_t last_ = 101;
};

inline std::string signed_number(double value, int digits = 4) {
  return (value < 0 ? "" : "+") + ur::detail::fixed(value, digits);
}

inline std::string p_text(double p) { return p < 0.001 ? "< .001" : ur::detail::fixed(p, 3); }

inline ordered_json to_json(const ur::mean_estimate& e) {
  return {{"mean", e.mean}, {"low", e.low}, {"high", e.high}, {"p_corrected_t", e.p_value}};
}

inline ordered_json to_json(const std::optional<ur::mean_estimate>& e) {
  return e ? ordered_json{{"mean", e->mean}, {"low", e->low}, {"high", e->high}} : ordered_json(nullptr);
}

inline ordered_json to_json(const std::optional<ur::gain_summary>& g) {
  if (!g) return nullptr;
  ordered_json out = to_json(g->mean);
  out["p_sign"] = g->p_sign;
  out["low_over_models"] = g->over_models ? ordered_json(g->over_models->low) : ordered_json(nullptr);
  out["high_over_models"] = g->over_models ? ordered_json(g->over_models->high) : ordered_json(nullptr);
  return out;
}

inline ordered_json table_json(const ur::routing_table& table) {
  return {{"name", table.name()},
          {"prompts", table.size()},
          {"models", table.model_count()},
          {"missing", table.missing_share()}};
}

inline ordered_json convention_json() {
  const ur::curve_convention c = ur::default_convention;
  return {{"anchor", ur::curve_anchor_name},
          {"interpolation", ur::name_of(c.interpolation)},
          {"envelope", ur::name_of(c.envelope)},
          {"normaliser", ur::name_of(c.normaliser)}};
}

inline void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  for (const auto& r : rows) {
    width.resize(std::max(width.size(), r.size()), 0);
    for (std::size_t j = 0; j < r.size(); ++j) width[j] = std::max(width[j], r[j].size());
  }
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < r.size(); ++j)
      std::printf(j == 0 ? "%-*s" : "  %*s", static_cast<int>(width[j]), r[j].c_str());
    std::printf("\n");
  }
}

}  // namespace thrifty
