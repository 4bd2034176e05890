#pragma once

// A whole experiment: methods beside each other on a table, as a page to look at, JSON to compute with, and a sentence.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <uniroute/data/staged_directory.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/close_look.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/page_parts.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/experiment/references.hpp>
#include <uniroute/experiment/results.hpp>
#include <uniroute/experiment/resumable.hpp>
#include <uniroute/experiment/source.hpp>
#include <uniroute/experiment/studies.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/experiment/terminal.hpp>
#include <uniroute/experiment/verdict.hpp>
#include <uniroute/report/charts.hpp>
#include <uniroute/report/page.hpp>
#include <uniroute/report/svg.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What is compared.
struct comparison {
  std::string title = "Routing among unseen LLMs";
  method_list methods = {};  ///< at least one router
  /// The method the page is about: its interval is drawn, its cells and shares are shown, its choices are shuffled for
  /// cost_matched_mixture, and it is tested against `against`. "": the last router of the list.
  std::string focus = {};
  std::vector<std::string> against = {"zero_router", "knn", "kmeans_hard"};  ///< those of them that were run
  std::vector<named_metric> metrics = {};                                    ///< beside `standard_metrics`
  std::vector<study> studies = {};                                           ///< that can be asked for by name
  std::string job = "comparison";                                            ///< in errors; out/JOB is where it writes
  /// Figures of the experiment's own, behind the curves; or none.
  std::function<void(html_page&, std::span<const method_summary>)> more = {};
};

/// Settings of a comparison beside those of every job.
struct comparison_settings : experiment_settings {
  std::vector<std::string> methods = {};  ///< only these routers; none: all
  std::vector<std::string> studies = {};  ///< by name, or "all"
  std::size_t study_trials = 20;          ///< random splits for each point of a study
};

namespace detail {

/// The focus by name. Throws std::invalid_argument for a name that is no method, and where there is no router.
inline const routing_method& focus_of(const comparison& c, const method_list& list) {
  const routing_method* last = nullptr;
  for (const auto& m : list) {
    if (m.name == c.focus) return m;
    if (m.role == method_role::router) last = &m;
  }
  require(c.focus.empty() ||
              std::any_of(c.methods.begin(), c.methods.end(), [&](const auto& m) { return m.name == c.focus; }),
          "run_comparison: focus is '", c.focus, "', but must be the name of a method");
  require(last != nullptr, "run_comparison: methods has no router, but must have at least one");
  return *last;
}

/// Charts of at most eight lines: the focus and what is measured against first, other routers behind.
inline void add_curves(html_page& page, const protocol_result& result, std::span<const method_summary> all,
                       const std::string& focus) {
  auto unit = cost_unit(result);
  constexpr std::size_t most = 8;
  std::vector<method_summary> first, later;
  std::size_t routers = 0;
  for (const auto& m : all) {
    if (m.role != method_role::router && (m.by_outcomes || m.role == method_role::reference)) {
      first.push_back(m);
    } else if (m.name == focus || routers < most - 3) {
      first.push_back(m);
      routers += m.name == focus ? 0u : 1u;
    } else {
      later.push_back(m);
    }
  }
  // An upper bound far above everything else would press it together.
  const auto marks = single_marks(result);
  double low = 1, high = 0;
  const auto cover = [&](double quality) {
    low = std::min(low, quality);
    high = std::max(high, quality);
  };
  for (const auto& m : first) {
    for (std::size_t g = 0; m.role != method_role::upper_bound && g < curve_grid; ++g) cover(m.curve[g]);
  }
  for (const auto& mark : marks) cover(mark.y);
  auto lines = curve_lines(first, focus);
  std::string above;
  for (std::size_t at = first.size(); at-- > 0;) {
    if (first[at].role != method_role::upper_bound) continue;
    const double top = *std::max_element(first[at].curve.begin(), first[at].curve.end());
    if (top <= high + (high - low) / 4) continue;
    above += text(" ", first[at].name, " lies above the picture, at up to ", fixed(top, 3), ".");
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
  }
  page.heading("Deferral curves");
  page.figure(
      line_chart(lines, {"Deferral curves", std::string(cost_axis), "mean quality", false, false, {}, {}, unit}, marks),
      text("Quality that each method buys with a mean cost; means over the trials, the 95% interval of ", focus,
           " in grey. Upper left is better; in grey below the axis, costs in the table's unit. Discs are single LLMs, "
           "each over the trials in which it was new.",
           above));
  const auto gains = [&](std::span<const method_summary> of, const std::string& title, std::string caption) {
    const auto differences = gain_lines(result, of, focus, "cost_matched_mixture");
    if (!differences.empty())
      page.figure(line_chart(differences,
                             {title, std::string(cost_axis), "quality above ZeroRouter", true, false, {}, {}, unit}),
                  std::move(caption));
  };
  gains(first, "Gain over ZeroRouter",
        text("The same, less ZeroRouter: what looking at the prompt adds, the interval of ", focus,
             " in grey. cost_matched_mixture gives ", focus, "'s own shares of LLMs to prompts at random."));
  for (std::size_t from = 0; from < later.size(); from += most) {
    std::vector<method_summary> part(later.begin() + static_cast<std::ptrdiff_t>(from),
                                     later.begin() + static_cast<std::ptrdiff_t>(std::min(from + most, later.size())));
    for (const auto& m : all) {
      if (m.name == "zero_router") part.insert(part.begin(), m);
    }
    gains(part, "Gain of further methods", "Further methods, less ZeroRouter.");
  }
}

}  // namespace detail

/// Runs a comparison: reads the table, runs every trial (progress on stderr; finished trials are kept in `out`, so that
/// the same call goes on with an interrupted run and writes the same bits), prints the verdict and a table, and writes
/// results.json, trials.csv, curves.svg and index.html into `out`, which is replaced as a whole or not at all.
/// `open`: where prompts and outcomes come from; none: `open_experiment`. Throws what reading and `run_protocol` throw,
/// and std::invalid_argument for a focus that is no method.
inline void run_comparison(const comparison& what, const comparison_settings& s,
                           const std::function<experiment_source()>& open = {}) {
  using nlohmann::ordered_json;
  method_list list = what.methods;
  for (const auto& name : s.methods)
    detail::require(std::any_of(list.begin(), list.end(), [&](const auto& m) { return m.name == name; }),
                    "run_comparison: methods names '", name, "', but must name methods of the comparison");
  if (!s.methods.empty())
    std::erase_if(list, [&](const auto& m) {
      return m.role != method_role::reference &&
             std::find(s.methods.begin(), s.methods.end(), m.name) == s.methods.end();
    });
  const routing_method& focus = detail::focus_of(what, list);
  const std::string out = s.out.empty() ? "out/" + what.job : s.out;
  const experiment_source from = open ? open() : open_experiment(s);
  announce(from);
  const auto studies = studies_of(from, what.studies, s.studies);
  auto kept_for = settings_json(what.job, s, from);
  for (const auto& m : list) kept_for["methods"].push_back(m.name);
  for (const auto& m : what.metrics) kept_for["metrics"].push_back(m.name);
  kept_for["focus"] = focus.name;
  for (const auto& study : studies) kept_for["studies"].push_back(study.name);
  kept_for["study_trials"] = s.study_trials;
  resumable_results kept(what.job, out, kept_for);

  auto options = options_of(s);
  options.metrics = what.metrics;
  options.references.push_back(cost_matched(focus));
  options.clairvoyant = std::any_of(list.begin(), list.end(), [](const auto& m) { return m.clairvoyant; });
  progress_bar bar;
  options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
  const auto result = run_resumable(kept, "trial", from, list, options, from.expected);
  const auto all = summarise_all(result);
  const auto points = run_studies(from, studies, options, s.study_trials, kept);
  const auto look = look_closely(from.table, from.embed, focus, options);
  const std::string verdict = verdict_of(result, all);

  auto metrics = standard_metrics();
  metrics.insert(metrics.end(), what.metrics.begin(), what.metrics.end());
  ordered_json json = results_json(from, s, result, all, metrics);
  json["verdict"] = verdict;
  add_close_look(json, look);
  if (!studies.empty()) json["studies"] = studies_json(points);
  auto& tests = json[focus.name + "_against"] = ordered_json::array();
  for (const auto& other : what.against) {
    const auto run = [&](const auto& m) { return m.name == other; };
    if (other == focus.name || std::none_of(all.begin(), all.end(), run)) continue;
    const auto c = compare(result, focus.name, other);
    if (!c) continue;
    tests.push_back({{"method", c->other},
                     {"mean", c->gain.mean},
                     {"low", c->gain.low},
                     {"high", c->gain.high},
                     {"p_corrected_t", c->gain.p_value},
                     {"p_sign", c->p_sign},
                     {"detectable_gain", c->detectable}});
  }

  html_page page(what.title + (result.static_pool ? " (static pool): " : ": ") + from.table.name());
  page.verdict(verdict);
  add_introduction(page, from, s, result, all);
  page.links({{"results.json", "every number of this page"}, {"trials.csv", "every metric of every trial"}});
  page.heading("Gain over ZeroRouter");
  add_gains(
      page, all, focus.name, "Gain over ZeroRouter",
      "What looking at the prompt adds: mean gain of normalised area with the 95% interval of the corrected t-test.");
  detail::add_curves(page, result, all, focus.name);
  if (what.more) what.more(page, all);
  add_glossary(page, all);
  add_metrics(page, result, all, metrics);
  add_close_look(page, look);
  add_studies(page, studies, points, focus.name);
  add_pool(page, from.table, result);

  // The folder is replaced as a whole; until then partial.jsonl stays.
  staged_directory staged(what.job, out, marker_of(out));
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("trials.csv", trials_csv(result));
  staged.write("index.html", std::move(page).finish());
  staged.write("curves.svg",
               line_chart(curve_lines(all), {"Deferral curves: " + from.table.name(), std::string(detail::cost_axis),
                                             "mean quality", false, true}));
  staged.commit();

  std::printf("\n%zu trials: %zu training, %zu validation, %zu test prompts; %zu %s\n\n", s.trials, result.train,
              result.validation, result.test, result.unseen,
              result.static_pool ? "LLMs, all enrolled (static pool)" : "unseen LLMs");
  print_table(gains_table(all));
  if (!all.empty() && all[0].left_out != 0)
    std::printf("\n%s\n", detail::left_out_text(all[0].left_out, s.trials).c_str());
  std::printf("\n%s\n\nLook at %s\n", verdict.c_str(), (std::filesystem::path(out) / "index.html").string().c_str());
}

}  // namespace uniroute
