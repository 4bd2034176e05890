#pragma once

// What the experiments share: their command line, encoders, tables, JSON, pictures and the parts of a page.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#include <utility>
#include <vector>

#include "encoders.hpp"

namespace experiment {

namespace ur = uniroute;
using nlohmann::ordered_json;

struct settings {
  std::string data, variant, encoder = "auto", cost = "table", out;
  encoder_settings model;  ///< where `encoder` finds what it needs
  std::size_t trials = 100, validation = 400, threads = 0;
  std::uint64_t seed = 1;
};

inline void add_options(CLI::App& app, settings& s) {
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
  app.add_option("--seed", s.seed, "same seed, same numbers")->capture_default_str();
  app.add_option("--threads", s.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
}

/// Parses, or prints what is wrong (or the help) and exits.
inline void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
}

/// A table with what an experiment needs to embed it.
struct source {
  ur::routing_table table;
  ur::loss_matrix expected = ur::make_matrix<double>(0, 0);  ///< γ* of a simulated world; empty for real tables
  std::string encoder;
  ur::embed_function embed;
};

/// Reads the table (or draws a simulated world) and finds its encoder. Throws what reading throws, and
/// std::invalid_argument for an encoder that the table has nothing for.
inline source open_source(const settings& s) {
  source out;
  if (s.data.empty()) {
    auto sample = ur::simulated_world{}.sample(3000, s.seed);
    out.table = std::move(sample.table);
    out.expected = std::move(sample.expected_losses);
  } else {
    using source_of_costs = ur::read_options::cost_source;
    const auto costs = s.cost == "params" ? source_of_costs::params
                       : s.cost == "1"    ? source_of_costs::one
                                          : source_of_costs::table;
    out.table = ur::read_routing_table(s.data, {.variant = s.variant, .costs = costs});
  }
  encoder_settings how = s.model;
  how.threads = s.threads;
  auto encoder = make_encoder(out.table, s.encoder, how);
  out.encoder = std::move(encoder.name);
  out.embed = std::move(encoder.embed);
  return out;
}

/// What a job says of its table before it starts.
inline void announce(const source& from) {
  std::printf("%s: %zu prompts, %zu LLMs, %.1f%% of outcomes missing; encoder %s\n", from.table.name().c_str(),
              from.table.size(), from.table.model_count(), 100 * from.table.missing_share(), from.encoder.c_str());
  for (const auto& note : from.table.notes()) std::printf("%s\n", note.c_str());
  std::fflush(stdout);
}

/// Runs a job; an error is a line on stderr, once with the job's name, and an exit status of 1.
template <class Job>
int guard(const std::string& job, Job&& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    const std::string what = error.what();
    std::fprintf(stderr, "%s%s\n", what.starts_with(job + ": ") ? "" : (job + ": ").c_str(), what.c_str());
    return 1;
  }
}

/// Methods that are drawn beside routers.
inline bool is_router(const std::string& name) {
  for (const char* reference :
       {"zero_router", "best_single", "cheapest", "random", "cost_matched_mixture", "oracle", "oracle_bayes"}) {
    if (name == reference) return false;
  }
  return true;
}

/// All methods summarised, references first, oracles last, routers as they were run.
inline std::vector<ur::method_summary> summarise_all(const ur::protocol_result& result) {
  const auto place = [](const std::string& name) {
    if (is_router(name)) return 1;
    return name == "oracle" || name == "oracle_bayes" || name == "cost_matched_mixture" ? 2 : 0;
  };
  std::vector<ur::method_summary> all;
  for (const auto& m : result.methods) all.push_back(ur::summarise(result, m));
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return place(a.name) < place(b.name); });
  return all;
}

/// One line that grows on a terminal, a line every 20% elsewhere.
class progress_bar {
 public:
  explicit progress_bar(const char* of = "trials") : of_(of) {}

  void show(std::size_t done, std::size_t all) {
    const std::size_t percent = done * 100 / all;
    if (percent == last_) return;
    last_ = percent;
    if (!terminal_ && percent % 20 != 0) return;
    std::fprintf(stderr, "%s[%-40s] %3zu%%  %zu of %zu %s%s", terminal_ ? "\r" : "",
                 std::string(percent * 40 / 100, '#').c_str(), percent, done, all, of_,
                 terminal_ && done != all ? "" : "\n");
  }

 private:
  const char* of_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  std::size_t last_ = 101;
};

inline std::string number(const ur::metric& value, int digits = 4) {
  return value ? ur::detail::fixed(*value, digits) : "none";
}
inline std::string number(const std::optional<ur::mean_estimate>& e, int digits = 4) {
  return e ? ur::detail::fixed(e->mean, digits) : "none";
}
inline std::string signed_number(double value) { return (value < 0 ? "" : "+") + ur::detail::fixed(value, 4); }

inline std::string p_text(double p) { return p < 0.001 ? "< .001" : ur::detail::fixed(p, 3); }

inline std::string qnc_text(const ur::method_summary& s) {
  if (!s.qnc) return "not reached";
  return ur::detail::fixed(*s.qnc, 3) + " (" + ur::detail::fixed(100 * s.reached, 0) + "%)";
}

inline std::vector<std::vector<std::string>> metrics_table(const std::vector<ur::method_summary>& all) {
  std::vector<std::vector<std::string>> rows{{"method", "nArea", "95% interval", "gain over ZeroRouter",
                                              "interval over LLMs", "corrected p", "sign p", "Area", "QNC (reached)",
                                              "peak", "Brier", "AUC"}};
  for (const auto& s : all) {
    std::vector<std::string> r{s.name, number(s.narea)};
    r.push_back(s.narea ? number(s.narea->low) + " to " + number(s.narea->high) : "");
    const bool gain = s.gain_over_zero && s.name != "zero_router";
    r.push_back(gain ? signed_number(s.gain_over_zero->mean.mean) : "");
    const auto over = gain ? s.gain_over_zero->over_models : std::nullopt;
    r.push_back(over ? signed_number(over->low) + " to " + signed_number(over->high) : "");
    r.push_back(gain ? p_text(s.gain_over_zero->mean.p_value) : "");
    r.push_back(gain ? p_text(s.gain_over_zero->p_sign) : "");
    r.push_back(number(s.area));
    r.push_back(qnc_text(s));
    r.push_back(number(s.peak.mean));
    const bool predicts = s.prediction && (is_router(s.name) || s.name == "zero_router");
    r.push_back(predicts ? number(s.prediction->brier, 3) : "");
    r.push_back(predicts && s.prediction->auc ? number(*s.prediction->auc, 3) : "");
    rows.push_back(std::move(r));
  }
  return rows;
}

inline void print_table(const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
  std::vector<std::size_t> width(columns, 0);
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < columns; ++j) width[j] = std::max(width[j], ur::detail::count_code_points(r[j]));
  }
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < columns; ++j) {
      const std::string pad(width[j] - ur::detail::count_code_points(r[j]), ' ');
      std::printf(j == 0 ? "%s%s" : "  %s%s", j == 0 ? r[j].c_str() : pad.c_str(), j == 0 ? pad.c_str() : r[j].c_str());
    }
    std::printf("\n");
  }
}

inline ordered_json to_json(const std::optional<ur::mean_estimate>& e) {
  if (!e) return nullptr;
  return {{"mean", e->mean}, {"low", e->low}, {"high", e->high}};
}

inline ordered_json to_json(const std::optional<ur::gain_summary>& g) {
  if (!g) return nullptr;
  return {{"mean", g->mean.mean},
          {"low", g->mean.low},
          {"high", g->mean.high},
          {"p_corrected_t", g->mean.p_value},
          {"p_sign", g->p_sign},
          {"low_over_models", g->over_models ? ordered_json(g->over_models->low) : ordered_json(nullptr)},
          {"high_over_models", g->over_models ? ordered_json(g->over_models->high) : ordered_json(nullptr)}};
}

inline ordered_json results_json(const ur::routing_table& table, const settings& s, const std::string& encoder,
                                 const ur::protocol_result& result, const std::vector<ur::method_summary>& all) {
  ordered_json out;
  out["table"] = {{"name", table.name()},
                  {"prompts", table.size()},
                  {"models", table.model_count()},
                  {"missing", table.missing_share()}};
  out["protocol"] = {{"trials", s.trials},
                     {"seed", s.seed},
                     {"validation", result.validation},
                     {"unseen", result.unseen},
                     {"train", result.train},
                     {"test", result.test},
                     {"encoder", encoder},
                     {"static_pool", result.static_pool},
                     {"rho", result.rho},
                     {"models_left_out_of_trials", result.dropped}};
  const ur::curve_convention c = ur::default_convention;
  out["convention"] = {{"anchor", ur::curve_anchor_name},
                       {"interpolation", ur::name_of(c.interpolation)},
                       {"envelope", ur::name_of(c.envelope)},
                       {"normaliser", ur::name_of(c.normaliser)}};
  out["methods"] = ordered_json::array();
  for (const auto& m : all) {
    ordered_json j;
    j["name"] = m.name;
    j["area"] = to_json(m.area);
    j["narea"] = to_json(m.narea);
    j["narea_prototype"] = to_json(m.narea_prototype);
    j["aiq"] = to_json(m.aiq);
    j["peak"] = to_json(std::optional(m.peak));
    j["qnc"] = {{"mean", m.qnc ? ordered_json(*m.qnc) : ordered_json(nullptr)}, {"reached", m.reached}};
    j["gain_over_zero"] = to_json(m.gain_over_zero);
    j["gain_over_knn"] = to_json(m.gain_over_knn);
    j["coverage"] = m.coverage;
    j["trials_left_out"] = m.left_out;
    if (m.prediction) {
      j["prediction"] = {{"brier", m.prediction->brier},
                         {"log_loss", m.prediction->log_loss},
                         {"auc", m.prediction->auc ? ordered_json(*m.prediction->auc) : ordered_json(nullptr)},
                         {"calibration_error", m.prediction->calibration_error}};
      j["collapse"] = m.collapse;
    }
    for (const auto& [name, weight] : m.weights) j["weights"][name] = weight;
    if (!m.chosen.empty()) {
      for (const auto& [name, times] : m.chosen) j["chosen"][name] = times;
    }
    j["curve"] = ordered_json::array();
    for (std::size_t g = 0; g < ur::curve_grid; ++g)
      j["curve"].push_back({static_cast<double>(g) / static_cast<double>(ur::curve_grid - 1), m.curve[g]});
    out["methods"].push_back(std::move(j));
  }
  return out;
}

inline std::string trials_csv(const ur::protocol_result& result) {
  std::string out = "trial,method,metric,value\n";
  for (const auto& m : result.methods) {
    for (std::size_t t = 0; t < m.trials.size(); ++t) {
      const auto add = [&](std::string_view metric, const ur::metric& value) {
        out +=
            ur::detail::text(t, ",", m.name, ",", metric, ",", value ? ur::detail::shortest_digits(*value) : "", "\n");
      };
      add("area", m.trials[t].area);
      add("narea", m.trials[t].narea);
      add("narea_prototype", m.trials[t].narea_prototype);
      add("aiq", m.trials[t].aiq);
      add("qnc", m.trials[t].qnc);
      add("peak", m.trials[t].peak);
    }
  }
  return out;
}

/// One router looked at closely: what its cells are, who is good in them, and who gets which share of prompts.
struct close_look {
  ur::matrix<double> quality;  ///< cells x models
  std::vector<std::string> cells, models;
  std::vector<double> cost;
  ur::matrix<double> shares;
};

inline close_look look_closely(const source& from, std::uint64_t seed, std::size_t validation) {
  const ur::routing_table& table = from.table;
  std::vector<std::size_t> everything(table.size());
  for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = i;
  const ur::embedding_matrix x = from.embed(everything);
  ur::split_options how;
  how.seed = seed;
  how.train = how.validation = 0.35;
  how.validation_prompts = std::min(validation, table.size() * 35 / 100);
  const auto split = ur::split_rows(table, how);
  const auto part = [&](const std::vector<std::size_t>& rows) { return ur::take_rows(x, std::span(rows)); };
  ur::cell_predictor predictor(ur::kmeans{{.clusters = std::min<std::size_t>(12, split.train.size()), .seed = seed}},
                               ur::nearest_map{}, ur::shrunken_mean{});
  const auto train_x = part(split.train);
  predictor.fit(train_x, ur::take(table.losses(), split.train, split.seen));
  predictor.set_validation(part(split.validation));
  std::vector<std::size_t> pool;
  for (const std::size_t h : split.unseen) {
    const auto losses = ur::column(ur::take(table.losses(), split.validation, std::vector<std::size_t>{h}), 0);
    if (std::all_of(losses.begin(), losses.end(), ur::is_missing)) continue;
    predictor.enroll(table.models()[h].name, losses);
    pool.push_back(h);
  }
  const auto costs = ur::column_means(ur::take(table.costs(), split.validation, pool));
  std::vector<std::size_t> order(pool.size());  // cheapest first
  for (std::size_t h = 0; h < order.size(); ++h) order[h] = h;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return costs(0, a) < costs(0, b); });

  close_look out;
  const auto labels = predictor.clustering_policy().assign(train_x);
  const auto profiles = predictor.profile_losses();
  const std::size_t cells = predictor.map().size();
  out.quality = ur::make_matrix<double>(cells, pool.size());
  for (std::size_t k = 0; k < cells; ++k) {
    std::map<std::string, std::size_t> categories;
    std::size_t size = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != k) continue;
      ++size;
      if (!table.categories().empty()) ++categories[table.categories()[split.train[i]]];
    }
    std::string name = "cell " + std::to_string(k + 1);
    if (!categories.empty()) {
      const auto most = std::max_element(categories.begin(), categories.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      name = most->first;
    }
    out.cells.push_back(name + " (" + std::to_string(size) + ")");
    for (std::size_t h = 0; h < order.size(); ++h) out.quality(k, h) = 1 - profiles(order[h], k);
  }
  for (const std::size_t h : order) out.models.push_back(table.models()[pool[h]].name);

  const auto losses = ur::take(table.losses(), split.test, pool), realised = ur::take(table.costs(), split.test, pool);
  const auto curve = ur::trace_curve(predictor.predict(part(split.test)), costs, losses, realised, {.shares = true});
  const auto range = ur::range_of(ur::single_models(losses, realised));
  out.shares = ur::make_matrix<double>(ur::curve_grid, pool.size());
  for (std::size_t g = 0; g < ur::curve_grid; ++g) {
    const double share = static_cast<double>(g) / static_cast<double>(ur::curve_grid - 1);
    const double at = range.cheapest_cost + share * (range.dearest_cost - range.cheapest_cost);
    std::size_t nearest = 0;
    for (std::size_t p = 0; p < curve.points.size(); ++p) {
      if (std::fabs(curve.points[p].cost - at) < std::fabs(curve.points[nearest].cost - at)) nearest = p;
    }
    out.cost.push_back(share);
    for (std::size_t h = 0; h < order.size(); ++h)
      out.shares(g, h) = static_cast<double>(curve.shares(nearest, order[h]));
  }
  return out;
}

inline const std::string cost_axis = "mean cost: 0 = cheapest, 1 = dearest LLM of the pool";

inline std::vector<ur::chart_line> curve_lines(const std::vector<ur::method_summary>& all) {
  std::vector<ur::chart_line> lines;
  for (const auto& m : all) {
    lines.push_back({m.name, {}, !is_router(m.name) && m.name != "zero_router", lines.size()});
    for (std::size_t g = 0; g < ur::curve_grid; ++g)
      lines.back().points.emplace_back(static_cast<double>(g) / static_cast<double>(ur::curve_grid - 1), m.curve[g]);
  }
  return lines;
}

/// The routers' lines less ZeroRouter's.
inline std::vector<ur::chart_line> gain_lines(const std::vector<ur::chart_line>& curves) {
  std::vector<ur::chart_line> gains;
  const auto zero = std::find_if(curves.begin(), curves.end(), [](const auto& c) { return c.name == "zero_router"; });
  for (const auto& curve : curves) {
    if (!is_router(curve.name) && curve.name != "cost_matched_mixture") continue;
    gains.push_back(curve);
    for (std::size_t g = 0; g < ur::curve_grid; ++g) gains.back().points[g].second -= zero->points[g].second;
  }
  return gains;
}

/// Why some trials have no area.
inline std::string left_out_text(std::size_t left_out, std::size_t trials) {
  if (left_out == trials)
    return "The unseen LLMs of every trial all cost the same: there is nothing to trade quality against, so that "
           "areas, "
           "quality-neutral costs and gains are undefined. Quality is reported (peak); other costs can be taken with "
           "--cost.";
  return ur::detail::text(
      "In ", left_out, " of ", trials,
      " trials the unseen LLMs all cost the same, and there is no area: these trials are left out of "
      "curves, means, intervals and tests (not of the peak).");
}

/// What was run: table, protocol, notes, and what is missing.
inline void add_introduction(ur::html_page& page, const ur::routing_table& table, const settings& s,
                             const std::string& encoder, const ur::protocol_result& result,
                             const std::vector<ur::method_summary>& all) {
  page.paragraph(ur::detail::text(
      table.size(), " prompts, ", table.model_count(), " LLMs, ", ur::detail::fixed(100 * table.missing_share(), 1),
      "% of outcomes missing. ", s.trials, " random trials, seed ", s.seed, ": ", result.train, " training, ",
      result.validation, " validation and ", result.test, " test prompts; ",
      result.static_pool ? "too few LLMs to hide any, so all of them are enrolled (static pool)"
                         : ur::detail::text(result.unseen, " LLMs hidden from fitting"),
      ". Encoder: ", encoder, "."));
  for (const auto& note : table.notes()) page.paragraph(note);
  if (result.dropped != 0)
    page.paragraph(
        ur::detail::text("LLMs without any observed outcome in a trial's validation or test were left out of "
                         "that trial: ",
                         result.dropped, " over all trials."));
  if (!all.empty() && all[0].left_out != 0) page.paragraph(left_out_text(all[0].left_out, s.trials));
  double coverage = 1;
  for (const auto& m : all) coverage = std::min(coverage, m.coverage);
  if (coverage < 1 - 1e-6)  // shares of choices are float32
    page.paragraph(ur::detail::text(
        "Outcomes are missing: at the thinnest point of a curve only ", ur::detail::fixed(100 * coverage, 1),
        "% of the choices have an observed outcome, and the mean of the model's observed choices "
        "stands for the others. Read differences with care: models may have been observed on prompts "
        "of unequal difficulty."));
}

inline void add_metrics(ur::html_page& page, const ur::protocol_result& result,
                        const std::vector<ur::method_summary>& all) {
  page.heading("Metrics");
  std::vector<bool> strong{false};
  for (const auto& m : all) strong.push_back(is_router(m.name));
  page.table(metrics_table(all), strong);
  const ur::curve_convention c = ur::default_convention;
  page.paragraph(
      ur::detail::text("Convention: anchor ", ur::curve_anchor_name, "; interpolation ", ur::name_of(c.interpolation),
                       "; envelope ", ur::name_of(c.envelope), "; normaliser ", ur::name_of(c.normaliser),
                       ". Area: costs divided by the dearest model's. QNC: least cost, as a share of the "
                       "dearest model's, that matches the best single LLM of validation; in brackets how many "
                       "trials reach it. Intervals and corrected p: t over trials with the variance (1/n + ρ) "
                       "s², ρ = ",
                       ur::detail::fixed(result.rho, 3),
                       ", because trials share prompts and LLMs; the sign test ignores that. Interval over LLMs: of "
                       "the gain, by a cluster bootstrap that draws LLMs again instead of splits. oracle knows the "
                       "outcomes in hindsight: no router can reach it."));
  std::string chosen;
  for (const auto& m : all) {
    if (m.chosen.empty()) continue;
    chosen += (chosen.empty() ? "" : "; ") + m.name + ":";
    for (const auto& [name, times] : m.chosen) chosen += ur::detail::text(" ", name, " (", times, "x)");
  }
  if (!chosen.empty()) page.paragraph("Chosen on seen LLMs treated as new: " + chosen + ".");
  for (const auto& m : all) {
    if (m.weights.empty()) continue;
    std::string mixed;
    for (const auto& [name, weight] : m.weights)
      mixed += ur::detail::text(mixed.empty() ? "" : ", ", ur::detail::fixed(weight, 2), " ", name);
    page.paragraph(ur::detail::text(m.name, " mixes, mean weights over trials: ", mixed, "."));
  }
}

inline void add_close_look(ur::html_page& page, const close_look& look) {
  page.heading("Cells and profiles of one trial");
  page.figure(ur::heat_map(look.quality, look.cells, look.models, "Predicted quality per cell and LLM"),
              "Predicted quality (1 − Ψ̂) of the unseen LLMs, cheapest first, in each of 12 cells (hard, "
              "shrunken); cells are named after their commonest category, with their number of training prompts.",
              true);
  page.heading("Who gets the prompts");
  page.figure(
      ur::stacked_chart(look.cost, look.shares, look.models, {"Shares of prompts", cost_axis, "share of prompts"}),
      "Share of test prompts per LLM along the curve of that router, cheapest at the bottom; in brackets the "
      "mean share.");
}

/// The table on the terminal, and where the page is.
inline void print_result(const settings& s, const ur::protocol_result& result,
                         const std::vector<ur::method_summary>& all) {
  std::printf("\n%zu trials: %zu training, %zu validation, %zu test prompts; %zu %s\n\n", s.trials, result.train,
              result.validation, result.test, result.unseen,
              result.static_pool ? "LLMs, all enrolled (static pool)" : "unseen LLMs");
  print_table(metrics_table(all), 10);
  if (!all.empty() && all[0].left_out != 0) std::printf("\n%s\n", left_out_text(all[0].left_out, s.trials).c_str());
  std::printf("\nLook at %s\n", (std::filesystem::path(s.out) / "index.html").string().c_str());
}

}  // namespace experiment
