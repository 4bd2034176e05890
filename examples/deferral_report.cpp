// The main job: deferral curves of every method on a routing table, with LLMs that no method has seen, as a page to
// look at and JSON to compute with.
// ctest: --trials 2 --validation 200 --out out

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
#include <uniroute/uniroute.hpp>
#include <vector>

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings {
  std::string data, variant, encoder = "auto", out = "out/deferral_report";
  std::size_t trials = 100, validation = 400, threads = 0;
  std::uint64_t seed = 1;
};

settings read_command_line(int argc, char** argv) {
  settings s;
  CLI::App app{"Deferral curves for LLMs that the router has never seen"};
  app.add_option("--data", s.data, "directory of a routing table (docs/data.md); none: a simulated world");
  app.add_option("--variant", s.variant, "read outcomes_VARIANT.csv and so on, e.g. union");
  app.add_option("--encoder", s.encoder, "embeddings (of the table), hashed_tfidf, or auto: the first that there is")
      ->check(CLI::IsMember({"auto", "embeddings", "hashed_tfidf"}));
  app.add_option("--trials", s.trials, "random splits")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--validation", s.validation, "prompts on which every LLM is run once")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", s.seed, "same seed, same numbers")->capture_default_str();
  app.add_option("--threads", s.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return s;
}

/// The paper's router (unshrunk hard cells), ours (shrunken soft cells), K-NN, and what they are measured against.
/// K and k are chosen in each trial by treating seen LLMs as new.
std::vector<ur::routing_method> make_methods() {
  std::vector<ur::routing_method> hard, soft, neighbours;
  for (const std::size_t k : {5, 10, 25, 50, 100}) {
    const std::string name = "K = " + std::to_string(k);
    hard.push_back(ur::predictor_method(name, [k](const ur::trial_data& t) {
      return ur::cell_predictor(ur::kmeans{{.clusters = std::min(k, ur::rows(t.train_x)), .seed = t.seed}},
                                ur::nearest_map{}, ur::cell_mean{});
    }));
    soft.push_back(ur::predictor_method(name, [k](const ur::trial_data& t) {
      return ur::cell_predictor(ur::kmeans{{.clusters = std::min(k, ur::rows(t.train_x)), .seed = t.seed}},
                                ur::proximity_map{}, ur::shrunken_mean{});
    }));
  }
  for (const std::size_t k : {5, 10, 20, 40, 60, 100, 200}) {
    neighbours.push_back(ur::predictor_method("k = " + std::to_string(k),
                                              [k](const ur::trial_data&) { return ur::knn{{.neighbours = k}}; }));
  }
  return {ur::zero_router(),
          ur::best_single(),
          ur::cheapest(),
          ur::selected_on_seen("knn", neighbours),
          ur::selected_on_seen("kmeans_hard", hard),
          ur::selected_on_seen("kmeans_soft", soft)};
}

/// The order in which methods are listed and drawn.
const std::vector<std::string> method_order{"zero_router", "best_single", "cheapest",    "random",
                                            "knn",         "kmeans_hard", "kmeans_soft", "cost_matched_mixture",
                                            "oracle",      "oracle_bayes"};

bool is_router(const std::string& name) { return name == "knn" || name.starts_with("kmeans"); }

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

std::string number(const ur::metric& value, int digits = 4) {
  return value ? ur::detail::fixed(*value, digits) : "undefined";
}
std::string number(const std::optional<ur::mean_estimate>& e, int digits = 4) {
  return e ? ur::detail::fixed(e->mean, digits) : "undefined";
}
std::string signed_number(double value) { return (value < 0 ? "" : "+") + ur::detail::fixed(value, 4); }

std::string p_text(double p) { return p < 0.001 ? "< .001" : ur::detail::fixed(p, 3); }

std::string qnc_text(const ur::method_summary& s) {
  if (!s.qnc) return "not reached";
  return ur::detail::fixed(*s.qnc, 3) + " (" + ur::detail::fixed(100 * s.reached, 0) + "%)";
}

std::vector<std::vector<std::string>> metrics_table(const std::vector<ur::method_summary>& all) {
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

void print_table(const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
  std::vector<std::size_t> width(columns, 0);
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < columns; ++j) width[j] = std::max(width[j], r[j].size());
  }
  for (const auto& r : rows) {
    for (std::size_t j = 0; j < columns; ++j)
      std::printf(j == 0 ? "%-*s" : "  %*s", static_cast<int>(width[j]), r[j].c_str());
    std::printf("\n");
  }
}

ordered_json to_json(const std::optional<ur::mean_estimate>& e) {
  if (!e) return nullptr;
  return {{"mean", e->mean}, {"low", e->low}, {"high", e->high}};
}

ordered_json to_json(const std::optional<ur::gain_summary>& g) {
  if (!g) return nullptr;
  return {{"mean", g->mean.mean},
          {"low", g->mean.low},
          {"high", g->mean.high},
          {"p_corrected_t", g->mean.p_value},
          {"p_sign", g->p_sign},
          {"low_over_models", g->over_models ? ordered_json(g->over_models->low) : ordered_json(nullptr)},
          {"high_over_models", g->over_models ? ordered_json(g->over_models->high) : ordered_json(nullptr)}};
}

ordered_json results_json(const ur::routing_table& table, const settings& s, const std::string& encoder,
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
    if (m.prediction) {
      j["prediction"] = {{"brier", m.prediction->brier},
                         {"log_loss", m.prediction->log_loss},
                         {"auc", m.prediction->auc ? ordered_json(*m.prediction->auc) : ordered_json(nullptr)},
                         {"calibration_error", m.prediction->calibration_error}};
      j["collapse"] = m.collapse;
    }
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

std::string trials_csv(const ur::protocol_result& result) {
  std::string out = "trial,method,metric,value\n";
  for (const auto& name : method_order) {
    for (const auto& m : result.methods) {
      if (m.name != name) continue;
      for (std::size_t t = 0; t < m.trials.size(); ++t) {
        const auto add = [&](std::string_view metric, const ur::metric& value) {
          out +=
              ur::detail::text(t, ",", name, ",", metric, ",", value ? ur::detail::shortest_digits(*value) : "", "\n");
        };
        add("area", m.trials[t].area);
        add("narea", m.trials[t].narea);
        add("narea_prototype", m.trials[t].narea_prototype);
        add("aiq", m.trials[t].aiq);
        add("qnc", m.trials[t].qnc);
        add("peak", m.trials[t].peak);
      }
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

close_look look_closely(const ur::routing_table& table, const ur::embedding_matrix& x, std::uint64_t seed,
                        std::size_t validation) {
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

const std::string cost_axis = "mean cost: 0 = cheapest, 1 = dearest LLM of the pool";

std::vector<ur::chart_line> curve_lines(const std::vector<ur::method_summary>& all) {
  std::vector<ur::chart_line> lines;
  for (const auto& m : all) {
    lines.push_back({m.name, {}, !is_router(m.name) && m.name != "zero_router", lines.size()});
    for (std::size_t g = 0; g < ur::curve_grid; ++g)
      lines.back().points.emplace_back(static_cast<double>(g) / static_cast<double>(ur::curve_grid - 1), m.curve[g]);
  }
  return lines;
}

/// The routers' lines less ZeroRouter's.
std::vector<ur::chart_line> gain_lines(const std::vector<ur::chart_line>& curves) {
  std::vector<ur::chart_line> gains;
  const auto zero = std::find_if(curves.begin(), curves.end(), [](const auto& c) { return c.name == "zero_router"; });
  for (const auto& curve : curves) {
    if (!is_router(curve.name) && curve.name != "cost_matched_mixture") continue;
    gains.push_back(curve);
    for (std::size_t g = 0; g < ur::curve_grid; ++g) gains.back().points[g].second -= zero->points[g].second;
  }
  return gains;
}

std::string page(const ur::routing_table& table, const settings& s, const std::string& encoder,
                 const ur::protocol_result& result, const std::vector<ur::method_summary>& all,
                 const close_look& look) {
  ur::html_page page("Routing among unseen LLMs: " + table.name());
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
  double coverage = 1;
  for (const auto& m : all) coverage = std::min(coverage, m.coverage);
  if (coverage < 1 - 1e-6)  // shares of choices are float32
    page.paragraph(ur::detail::text(
        "Outcomes are missing: at the thinnest point of a curve only ", ur::detail::fixed(100 * coverage, 1),
        "% of the choices have an observed outcome, and the mean of the model's observed choices "
        "stands for the others. Read differences with care: models may have been observed on prompts "
        "of unequal difficulty."));

  const auto curves = curve_lines(all), gains = gain_lines(curves);
  page.heading("Deferral curves");
  page.figure(ur::line_chart(curves, {"Deferral curves", cost_axis, "mean quality"}),
              "Quality that each method buys with a mean cost; means over the trials. Upper left is better.");
  page.figure(
      ur::line_chart(gains, {"Gain over ZeroRouter", cost_axis, "quality above ZeroRouter", true}),
      "The same, less ZeroRouter: what looking at the prompt adds. cost_matched_mixture gives kmeans_soft's own "
      "shares of LLMs to prompts at random.");
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
  return std::move(page).finish();
}

int run(const settings& s) {
  ur::detail::staged_directory staged("deferral_report", s.out, "results.json");
  ur::routing_table table;
  ur::loss_matrix expected = ur::make_matrix<double>(0, 0);
  if (s.data.empty()) {
    auto sample = ur::simulated_world{}.sample(3000, s.seed);
    table = std::move(sample.table);
    expected = std::move(sample.expected_losses);
  } else {
    table = ur::read_routing_table(s.data, {.variant = s.variant});
  }
  const std::string encoder = s.encoder != "auto" ? s.encoder : table.has_embeddings() ? "embeddings" : "hashed_tfidf";
  ur::embed_function embed;
  if (encoder == "embeddings") {
    ur::detail::require(table.has_embeddings(), "deferral_report: --encoder is embeddings, but table '", table.name(),
                        "' has no embeddings.npy (use --encoder hashed_tfidf)");
    embed = [&](std::span<const std::size_t>) { return table.embeddings(); };
  } else {
    ur::detail::require(table.has_prompts(), "deferral_report: --encoder is hashed_tfidf, but table '", table.name(),
                        "' has no prompt texts");
    embed = [&](std::span<const std::size_t> training) {
      std::vector<std::string> prompts;
      for (const std::size_t i : training) prompts.push_back(table.prompts()[i]);
      ur::hashed_tfidf tfidf{{.dimension = 256}};
      tfidf.fit(prompts);
      return tfidf.encode(table.prompts());
    };
  }
  std::printf("%s: %zu prompts, %zu LLMs, %.1f%% of outcomes missing; encoder %s\n", table.name().c_str(), table.size(),
              table.model_count(), 100 * table.missing_share(), encoder.c_str());
  for (const auto& note : table.notes()) std::printf("%s\n", note.c_str());

  std::fflush(stdout);
  progress_bar bar;
  ur::protocol_options options;
  options.trials = s.trials;
  options.seed = s.seed;
  options.validation_prompts = s.validation;
  options.threads = s.threads;
  options.shuffled = "kmeans_soft";
  options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
  const auto methods = make_methods();
  const auto result = ur::run_protocol(table, embed, methods, options, expected);

  std::vector<ur::method_summary> all;
  for (const auto& name : method_order) {
    for (const auto& m : result.methods) {
      if (m.name == name) all.push_back(ur::summarise(result, m));
    }
  }
  std::vector<std::size_t> everything(table.size());
  for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = i;
  const auto look = look_closely(table, embed(everything), s.seed, s.validation);
  staged.write("results.json", results_json(table, s, encoder, result, all).dump(1) + "\n");
  staged.write("trials.csv", trials_csv(result));
  staged.write("index.html", page(table, s, encoder, result, all, look));
  staged.write("curves.svg", ur::line_chart(curve_lines(all), {"Deferral curves: " + table.name(), cost_axis,
                                                               "mean quality", false, true}));
  staged.commit();

  std::printf("\n%zu trials: %zu training, %zu validation, %zu test prompts; %zu %s\n\n", s.trials, result.train,
              result.validation, result.test, result.unseen,
              result.static_pool ? "LLMs, all enrolled (static pool)" : "unseen LLMs");
  print_table(metrics_table(all), 10);
  std::printf("\nLook at %s\n", (std::filesystem::path(s.out) / "index.html").string().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(read_command_line(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "deferral_report: %s\n", error.what());
    return 1;
  }
}
