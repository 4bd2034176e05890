#pragma once

// The parts that pages of experiments are made of, and the tables that stand on pages and terminals.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/curve_convention.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/experiment/close_look.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/source.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/experiment/verdict.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/report/charts.hpp>
#include <uniroute/report/interval_chart.hpp>
#include <uniroute/report/page.hpp>
#include <uniroute/report/svg.hpp>
#include <uniroute/stats/paired_tests.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

inline std::string metric_text(const metric& value, int digits = 4) { return value ? fixed(*value, digits) : "none"; }

inline std::string metric_text(const metric_estimate& e, metric_summary how) {
  if (how == metric_summary::interval) return metric_text(e.mean);
  return e.mean ? fixed(*e.mean, 3) + " (" + fixed(100 * e.reached, 0) + "%)" : "not reached";
}

/// Whether what a method predicts is a prediction, and not the word for a constant choice.
inline bool shows_prediction(const method_summary& m) {
  return m.prediction && (m.role != method_role::reference || m.name == "zero_router");
}

inline constexpr std::string_view cost_axis = "mean cost: 0 = cheapest, 1 = dearest LLM";

inline double grid_cost(std::size_t g) { return static_cast<double>(g) / static_cast<double>(curve_grid - 1); }

}  // namespace detail

/// How well each method routes: nArea, its gain over ZeroRouter, and how sure that is. The header comes first.
inline std::vector<std::vector<std::string>> gains_table(std::span<const method_summary> all) {
  using detail::fixed;
  using detail::signed_number;
  std::vector<std::vector<std::string>> rows{
      {"method", "nArea", "95% interval", "gain over ZeroRouter", "interval over LLMs", "corrected p", "sign p"}};
  for (const auto& s : all) {
    const auto& narea = s.of("narea").interval;
    std::vector<std::string> r{s.name, detail::metric_text(s.of("narea").mean)};
    r.push_back(narea ? fixed(narea->low, 4) + " to " + fixed(narea->high, 4) : "");
    const bool gain = s.gain_over_zero && s.name != "zero_router";
    r.push_back(gain ? signed_number(s.gain_over_zero->mean.mean) : "");
    const auto over = gain ? s.gain_over_zero->over_models : std::nullopt;
    r.push_back(over ? signed_number(over->low) + " to " + signed_number(over->high) : "");
    r.push_back(gain ? detail::p_text(s.gain_over_zero->mean.p_value) : "");
    r.push_back(gain ? detail::p_text(s.gain_over_zero->p_sign) : "");
    rows.push_back(std::move(r));
  }
  return rows;
}

/// Every other metric of each method, and the quality of its predictions. The header comes first.
inline std::vector<std::vector<std::string>> metrics_table(std::span<const method_summary> all,
                                                           std::span<const named_metric> metrics) {
  std::vector<std::vector<std::string>> rows{{"method"}};
  for (const auto& m : metrics) {
    if (m.name != "narea") rows[0].push_back(m.title + (m.summary == metric_summary::when_reached ? " (reached)" : ""));
  }
  rows[0].insert(rows[0].end(), {"Brier", "AUC"});
  for (const auto& s : all) {
    std::vector<std::string> r{s.name};
    for (const auto& m : metrics) {
      if (m.name != "narea") r.push_back(detail::metric_text(s.of(m.name), m.summary));
    }
    const bool predicts = detail::shows_prediction(s);
    r.push_back(predicts ? detail::fixed(s.prediction->brier, 3) : "");
    r.push_back(predicts && s.prediction->auc ? detail::fixed(*s.prediction->auc, 3) : "");
    rows.push_back(std::move(r));
  }
  return rows;
}

/// What the costs of these trials' pools are at both ends of the relative axis, in the table's unit: means over the
/// trials that have an area. No value where none has.
inline std::optional<chart_unit> cost_unit(const protocol_result& result) {
  chart_unit out{0, 0};
  double trials = 0;
  for (const auto& singles : result.singles) {
    const auto pool = range_of(singles);
    if (pool.is_degenerate()) continue;
    out.at_zero += pool.cheapest_cost;
    out.at_one += pool.dearest_cost;
    trials += 1;
  }
  if (trials == 0) return std::nullopt;
  out.at_zero /= trials;
  out.at_one /= trials;
  return out;
}

/// The mean curve of each method; the interval of the `focus` as a band. Strokes are by place, so that a method keeps
/// its own where both lists are of the same summaries.
inline std::vector<chart_line> curve_lines(std::span<const method_summary> all, std::string_view focus = "") {
  std::vector<chart_line> lines;
  for (const auto& m : all) {
    const bool quiet = m.role != method_role::router && m.name != "zero_router";
    lines.push_back({m.name, {}, quiet, lines.size()});
    for (std::size_t g = 0; g < curve_grid; ++g) {
      lines.back().points.emplace_back(detail::grid_cost(g), m.curve[g]);
      if (m.name == focus) lines.back().band.emplace_back(m.curve_low[g], m.curve_high[g]);
    }
  }
  return lines;
}

/// The curves of routers, and of those references in `also`, less ZeroRouter's, with the interval of the difference as
/// a band for the `focus`. None where ZeroRouter was not run.
inline std::vector<chart_line> gain_lines(const protocol_result& result, std::span<const method_summary> all,
                                          std::string_view focus = "", std::string_view also = "") {
  std::vector<chart_line> gains;
  const auto zero = std::find_if(all.begin(), all.end(), [](const auto& m) { return m.name == "zero_router"; });
  if (zero == all.end()) return gains;
  for (std::size_t place = 0; place < all.size(); ++place) {
    const auto& m = all[place];
    if (m.role != method_role::router && m.name != also) continue;
    gains.push_back({m.name, {}, false, place});
    for (std::size_t g = 0; g < curve_grid; ++g) {
      gains.back().points.emplace_back(detail::grid_cost(g), m.curve[g] - zero->curve[g]);
      if (m.name != focus || zero->left_out == zero->trials) continue;
      std::vector<double> differences;
      const auto &mine = result.method(m.name).trials, &theirs = result.method("zero_router").trials;
      for (std::size_t t = 0; t < mine.size(); ++t) {
        if (mine[t].of("narea")) differences.push_back(mine[t].curve[g] - theirs[t].curve[g]);
      }
      const auto at = corrected_resampled_t(differences, result.rho);
      gains.back().band.emplace_back(at.low, at.high);
    }
  }
  return gains;
}

/// The single LLMs as points of the relative chart.
inline std::vector<chart_mark> single_marks(const protocol_result& result) {
  auto singles = summarise_singles(result);
  std::stable_sort(singles.begin(), singles.end(),
                   [](const auto& a, const auto& b) { return a.relative_cost < b.relative_cost; });
  std::vector<chart_mark> out;
  for (const auto& m : singles) out.push_back({m.name, m.relative_cost, m.quality});
  return out;
}

/// Gains over ZeroRouter with their intervals, largest first, the `focus` strong: routers and methods that know more.
inline std::vector<chart_interval> gain_intervals(std::span<const method_summary> all, std::string_view focus) {
  std::vector<chart_interval> out;
  for (const auto& m : all) {
    if (m.role == method_role::reference || m.by_outcomes || !m.gain_over_zero) continue;
    const auto& g = m.gain_over_zero->mean;
    out.push_back({m.name, g.mean, g.low, g.high, m.name == focus});
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.mean > b.mean; });
  return out;
}

/// The gains as a picture, or the reason why there are none.
inline void add_gains(html_page& page, std::span<const method_summary> all, std::string_view focus,
                      const std::string& title, std::string caption) {
  const auto gains = gain_intervals(all, focus);
  if (gains.empty()) {
    page.paragraph(
        "No gain over ZeroRouter is defined: it takes two trials or more, ZeroRouter, and a pool whose LLMs do not all "
        "cost the same.");
    return;
  }
  page.figure(interval_chart(gains, title, "gain of nArea over ZeroRouter"), std::move(caption));
}

/// What was run: table, protocol, notes, and what is missing.
inline void add_introduction(html_page& page, const experiment_source& from, const experiment_settings& s,
                             const protocol_result& result, std::span<const method_summary> all) {
  using detail::fixed;
  using detail::text;
  const routing_table& table = from.table;
  page.paragraph(text(table.size(), " prompts, ", table.model_count(), " LLMs, ", fixed(100 * table.missing_share(), 1),
                      "% of outcomes missing. ", s.trials, " random trials, seed ", s.seed, ": ", result.train,
                      " training, ", result.validation, " validation and ", result.test, " test prompts; ",
                      s.static_pool        ? "no LLM hidden, as asked: all of them are enrolled (static pool)"
                      : result.static_pool ? "too few LLMs to hide any, so all of them are enrolled (static pool)"
                                           : text(result.unseen, " LLMs hidden from fitting"),
                      ". Encoder: ", from.encoder, "."));
  for (const auto& note : table.notes()) page.paragraph(note);
  if (result.dropped != 0)
    page.paragraph(
        text("LLMs without any observed outcome in a trial's validation or test were left out of that trial: ",
             result.dropped, " over all trials."));
  if (!all.empty() && all[0].left_out != 0) page.paragraph(detail::left_out_text(all[0].left_out, s.trials));
  double coverage = 1;
  for (const auto& m : all) coverage = std::min(coverage, m.coverage);
  if (coverage < 1 - 1e-6)  // shares of choices are float32
    page.paragraph(text("Outcomes are missing: at the thinnest point of a curve only ", fixed(100 * coverage, 1),
                        "% of the choices have an observed outcome, and the mean of the model's observed choices "
                        "stands for the others. Read differences with care: models may have been observed on prompts "
                        "of unequal difficulty."));
}

/// The tables of metrics, by what convention, what was chosen and mixed.
inline void add_metrics(html_page& page, const protocol_result& result, std::span<const method_summary> all,
                        std::span<const named_metric> metrics) {
  using detail::text;
  page.heading("Metrics");
  std::vector<bool> strong{false};
  for (const auto& m : all) strong.push_back(m.role == method_role::router);
  page.table(gains_table(all), strong);
  page.table(metrics_table(all, metrics), strong);
  const curve_convention c = default_convention;
  page.paragraph(text(
      "Convention: anchor ", curve_anchor_name, "; interpolation ", name_of(c.interpolation), "; envelope ",
      name_of(c.envelope), "; normaliser ", name_of(c.normaliser),
      ". Area: costs divided by the dearest model's. QNC: least cost, as a share of the dearest model's, that "
      "matches the best single LLM of validation; in brackets how many trials reach it. Intervals and corrected p: "
      "t over trials with the variance (1/n + ρ) s², ρ = ",
      detail::fixed(result.rho, 3),
      ", because trials share prompts and LLMs; the sign test ignores that. Interval over LLMs: of the gain, by a "
      "cluster bootstrap that draws LLMs again instead of splits."));
  std::string chosen;
  for (const auto& m : all) {
    if (m.chosen.empty()) continue;
    chosen += (chosen.empty() ? "" : "; ") + m.name + ":";
    for (const auto& [name, times] : m.chosen) chosen += text(" ", name, " (", times, "x)");
  }
  if (!chosen.empty()) page.paragraph("Chosen on seen LLMs treated as new: " + chosen + ".");
  for (const auto& m : all) {
    if (m.weights.empty()) continue;
    std::string mixed;
    for (const auto& [name, weight] : m.weights)
      mixed += text(mixed.empty() ? "" : ", ", detail::fixed(weight, 2), " ", name);
    page.paragraph(text(m.name, " mixes, mean weights over trials: ", mixed, "."));
  }
}

/// One line for each method that has one.
inline void add_glossary(html_page& page, std::span<const method_summary> all) {
  std::vector<std::vector<std::string>> rows{{"method", "role", "what it is"}};
  for (const auto& m : all) {
    const std::string role = m.role == method_role::upper_bound ? "upper bound" : std::string(name_of(m.role));
    rows.push_back({m.name, role, m.about});
  }
  page.heading("What the methods are");
  page.prose_table(rows);
}

/// Every LLM of the table, by cost.
inline void add_pool(html_page& page, const routing_table& table, const protocol_result& result) {
  const auto costs = column_means(table.costs());
  const auto singles = summarise_singles(result);
  std::vector<std::size_t> order(table.model_count());
  for (std::size_t h = 0; h < order.size(); ++h) order[h] = h;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return costs(0, a) < costs(0, b); });
  std::vector<std::vector<std::string>> rows{{"LLM", "mean cost", "quality", "outcomes observed", "trials unseen"}};
  for (const std::size_t h : order) {
    const double loss = column_mean(table.losses(), h, missing);
    std::size_t observed = 0;
    for (std::size_t i = 0; i < table.size(); ++i) observed += is_missing(table.losses()(i, h)) ? 0u : 1u;
    const auto found =
        std::find_if(singles.begin(), singles.end(), [&](const auto& m) { return m.name == table.models()[h].name; });
    rows.push_back({table.models()[h].name, detail::short_number(costs(0, h)),
                    is_missing(loss) ? "none" : detail::fixed(1 - loss, 4), std::to_string(observed),
                    std::to_string(found == singles.end() ? 0 : found->trials)});
  }
  page.heading("The pool");
  page.table(rows);
}

/// The method that was looked at closely.
inline void add_close_look(html_page& page, const close_look& look) {
  using detail::text;
  if (look.quality.size() != 0) {
    page.heading("What " + look.method + " predicts, in one trial");
    page.figure(
        heat_map(look.quality, look.cells, look.models, "Predicted quality per cell and LLM"),
        text("Mean quality that ", look.method,
             " predicts for the unseen LLMs, cheapest first, on the test prompts of each K-means cell; cells are "
             "named after their commonest category, with their number of test prompts."),
        true);
  }
  page.heading("Who gets the prompts");
  page.figure(stacked_chart(look.cost, look.shares, look.models,
                            {"Shares of prompts", std::string(detail::cost_axis), "share of prompts"}),
              text("Share of test prompts per LLM along the curve of ", look.method,
                   " in the same trial, cheapest at the bottom; in brackets the mean share."));
}

}  // namespace uniroute
