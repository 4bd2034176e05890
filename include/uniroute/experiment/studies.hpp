#pragma once

// The protocol with one thing changed, from point to point: fewer labels, other K, a static pool, other prompts,
// missing outcomes.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/draw_trial.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/methods.hpp>
#include <uniroute/experiment/page_parts.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/experiment/references.hpp>
#include <uniroute/experiment/results.hpp>
#include <uniroute/experiment/resumable.hpp>
#include <uniroute/experiment/source.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/experiment/terminal.hpp>
#include <uniroute/report/charts.hpp>
#include <uniroute/report/page.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One point of a study that is to be run.
struct study_plan {
  double value = 0;  ///< labels, K or share of outcomes hidden; 0 where there is but one point
  method_list methods;
  std::function<void(protocol_options&)> change = [](protocol_options&) {};
};

/// A study: points that differ in one thing.
struct study {
  std::string name, title, axis;  ///< on the command line, on the page, below the chart
  std::vector<study_plan> points;
  /// If given, what the value of a point turned out to be: one that is below the plan is the last (the table has no
  /// more).
  std::function<double(const protocol_result&)> measured = {};
};

/// One point that was run.
struct study_point {
  std::string study;
  double value = 0;
  protocol_result result;
};

/// static, validation, clusters, shift and missing.
inline std::vector<study> standard_studies() {
  const method_list list{zero_router(),    methods::tuned_knn(),   methods::tuned_hard(),       methods::tuned_soft(),
                         methods::ridge(), methods::skill_ridge(), methods::gaussian_process(), methods::selected()};
  const auto family = [](routing_method m) {
    m.name = m.name.substr(0, m.name.find('/'));
    return m;
  };
  std::vector<study> out{{"static", "A pool that does not change", "", {}},
                         {"validation", "Fewer or more labels", "validation prompts", {}},
                         {"clusters", "The number of cells", "cells K", {}},
                         {"shift", "Fitted on other categories than the one routed", "", {}},
                         {"missing", "Missing outcomes", "share of outcomes hidden", {}}};
  out[0].points.push_back({0, list, [](protocol_options& o) { o.static_pool = true; }});
  for (const std::size_t labels : std::initializer_list<std::size_t>{50, 100, 200, 300, 400, 500})
    out[1].points.push_back(
        {static_cast<double>(labels), list, [labels](protocol_options& o) { o.validation_prompts = labels; }});
  out[1].measured = [](const protocol_result& r) { return static_cast<double>(r.validation); };
  for (const std::size_t k : std::initializer_list<std::size_t>{5, 10, 25, 50, 100, 200, 300})
    out[2].points.push_back({static_cast<double>(k),
                             {zero_router(), family(methods::kmeans_hard(k)), family(methods::kmeans_soft(k)),
                              family(methods::two_level(k)), family(methods::learned_map(k))}});
  out[3].points.push_back({0, list, [](protocol_options& o) { o.shift = true; }});
  for (const double hidden : {0.1, 0.3, 0.5, 0.7, 0.9})
    out[4].points.push_back({hidden, list, [hidden](protocol_options& o) { o.hidden = hidden; }});
  return out;
}

/// Those of the studies that are asked for by name ("all": all that the table allows). Throws std::invalid_argument for
/// a study of shift, asked for by its name, where the table has no category to shift to.
inline std::vector<study> studies_of(const experiment_source& from, std::vector<study> known,
                                     const std::vector<std::string>& names) {
  const auto asked = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool can_shift = !detail::shift_targets(from.table).empty();
  detail::require(can_shift || !asked("shift"), "--studies is shift, but must be another study: table '",
                  from.table.name(), "' (", from.table.categories().empty() ? "no categories" : "its categories",
                  ") has no category of 200 prompts or more beside others");
  if (!asked("all")) {
    std::vector<study> out;
    for (const auto& name : names) {
      for (const auto& s : known) {
        if (s.name == name) out.push_back(s);
      }
    }
    return out;
  }
  if (!can_shift) {
    std::erase_if(known, [](const auto& s) { return s.name == "shift"; });
    std::puts("No study of shift: the table has no category of 200 prompts or more beside others.");
  }
  return known;
}

/// Runs them, each trial kept (`run_resumable`). Progress goes to stderr.
inline std::vector<study_point> run_studies(const experiment_source& from, const std::vector<study>& studies,
                                            const protocol_options& base, std::size_t trials, resumable_results& kept) {
  std::vector<study_point> out;
  for (const auto& s : studies) {
    for (const auto& plan : s.points) {
      std::fprintf(stderr, "%s, %g\n", s.title.c_str(), plan.value);
      progress_bar bar;
      auto options = base;
      options.trials = trials;
      options.references = standard_references();
      options.clairvoyant = false;
      plan.change(options);
      options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
      out.push_back({s.name, plan.value,
                     run_resumable(kept, detail::text(s.name, "/", plan.value), from, plan.methods, options)});
      if (!s.measured) continue;
      out.back().value = s.measured(out.back().result);
      if (out.back().value < plan.value) break;
    }
  }
  return out;
}

/// Name, value, trials and the nArea of each method, point by point.
inline nlohmann::ordered_json studies_json(const std::vector<study_point>& points) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& p : points) {
    nlohmann::ordered_json j;
    j["study"] = p.study;
    j["value"] = p.value;
    j["trials"] = p.result.pools.size();
    j["validation"] = p.result.validation;
    j["methods"] = nlohmann::ordered_json::array();
    for (const auto& m : summarise_all(p.result))
      j["methods"].push_back({{"name", m.name},
                              {"narea", estimate_json(m.of("narea").interval)},
                              {"gain_over_zero", gain_json(m.gain_over_zero)}});
    out.push_back(std::move(j));
  }
  return out;
}

/// A picture of each study.
inline void add_studies(html_page& page, const std::vector<study>& studies, const std::vector<study_point>& points,
                        std::string_view focus) {
  for (const auto& s : studies) {
    std::vector<const study_point*> of;
    for (const auto& p : points) {
      if (p.study == s.name) of.push_back(&p);
    }
    if (of.empty()) continue;
    page.heading(s.title);
    const std::size_t trials = of[0]->result.pools.size();
    if (of.size() == 1) {
      add_gains(page, summarise_all(of[0]->result), focus, s.title,
                detail::text("Gain over ZeroRouter; ", trials, " trials, ", of[0]->result.train, " training, ",
                             of[0]->result.validation, " validation and ", of[0]->result.test,
                             " test prompts in the first."));
      continue;
    }
    std::vector<chart_line> lines;
    for (const auto* p : of) {
      for (const auto& m : summarise_all(p->result)) {
        if (m.role != method_role::router || !m.gain_over_zero) continue;
        auto line = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.name == m.name; });
        if (line == lines.end()) line = lines.insert(lines.end(), {m.name, {}});
        line->points.emplace_back(p->value, m.gain_over_zero->mean.mean);
      }
    }
    if (lines.empty()) {
      page.paragraph("No gain over ZeroRouter is defined.");
      continue;
    }
    page.figure(line_chart(lines, {s.title, s.axis, "gain of nArea over ZeroRouter", true}),
                detail::text("Mean gain of normalised area over ZeroRouter, ", trials, " trials a point."));
  }
}

}  // namespace uniroute
