// The paper's protocol with every method: which routes best among LLMs that none has seen, and does it hold with fewer
// labels, other K, a pool that does not change, other prompts than it was fitted on, and missing outcomes (--studies).
// The same command goes on with an interrupted run.
// ctest: --trials 2 --validation 200 --studies all --study-trials 1 --out out

#include "experiment.hpp"
#include "methods.hpp"
#include "resumable_protocol.hpp"

namespace {

using namespace experiment;

struct protocol_settings : settings {
  std::vector<std::string> methods;  ///< those that were asked for; none: all
  std::vector<std::string> studies;
  std::size_t study_trials = 20;
};

/// One point of a study: the protocol with one thing changed.
struct study_point {
  std::string study;
  double value = 0;  ///< labels, K or share of outcomes hidden; 0 where there is but one point
  ur::protocol_result result;
};

const std::vector<std::string> study_names{"static", "validation", "clusters", "shift", "missing"};

std::string title_of(const std::string& study) {
  if (study == "static") return "A pool that does not change";
  if (study == "validation") return "Fewer or more labels";
  if (study == "clusters") return "The number of cells";
  if (study == "shift") return "Fitted on other categories than the one routed";
  return "Missing outcomes";
}

ur::protocol_options options_of(const protocol_settings& s) {
  ur::protocol_options options;
  options.trials = s.trials;
  options.seed = s.seed;
  options.validation_prompts = s.validation;
  options.threads = s.threads;
  return options;
}

/// The references, and of the others those that were asked for, in their own order.
methods::method_list chosen_methods(const std::vector<std::string>& names) {
  methods::method_list out = methods::all_methods();
  if (names.empty()) return out;
  std::erase_if(out, [&](const auto& m) {
    return is_router(m.name) && std::find(names.begin(), names.end(), m.name) == names.end();
  });
  return out;
}

/// Whether a list of methods, or of their results, has one of that name.
template <class List>
bool has(const List& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(), [&](const auto& m) { return m.name == name; });
}

/// What the studies compare: the paper's, the best of each kind, and their mixture.
methods::method_list study_methods() {
  return {ur::zero_router(), methods::tuned_knn(),   methods::tuned_hard(),       methods::tuned_soft(),
          methods::ridge(),  methods::skill_ridge(), methods::gaussian_process(), methods::selected()};
}

methods::method_list cluster_methods(std::size_t k) {
  const auto renamed = [](ur::routing_method m) {
    m.name = m.name.substr(0, m.name.find('/'));
    return m;
  };
  return {ur::zero_router(), renamed(methods::kmeans_hard(k)), renamed(methods::kmeans_soft(k)),
          renamed(methods::two_level(k)), renamed(methods::learned_map(k))};
}

std::vector<study_point> run_studies(const source& from, const protocol_settings& s, resumable_results& kept) {
  std::vector<study_point> out;
  const auto add = [&](const std::string& study, double value, const methods::method_list& list,
                       ur::protocol_options options) {
    std::fprintf(stderr, "%s, %g\n", title_of(study).c_str(), value);
    progress_bar bar;
    options.trials = s.study_trials;
    options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
    const std::string key = ur::detail::text(study, "/", value);
    out.push_back({study, value, run_resumable(kept, key, from, list, options)});
  };
  for (const auto& study : s.studies) {
    auto options = options_of(s);
    if (study == "static") {
      options.static_pool = true;
      add(study, 0, study_methods(), options);
    } else if (study == "shift") {
      options.shift = true;
      add(study, 0, study_methods(), options);
    } else if (study == "validation") {
      for (const std::size_t labels : {50, 100, 200, 300, 400, 500}) {
        options.validation_prompts = labels;
        add(study, static_cast<double>(labels), study_methods(), options);
        const std::size_t had = out.back().result.validation;
        out.back().value = static_cast<double>(had);
        if (had < labels) break;  // the table has no more
      }
    } else if (study == "clusters") {
      for (const std::size_t k : {5, 10, 25, 50, 100, 200, 300})
        add(study, static_cast<double>(k), cluster_methods(k), options);
    } else {
      for (const double hidden : {0.1, 0.3, 0.5, 0.7, 0.9}) {
        options.hidden = hidden;
        add(study, hidden, study_methods(), options);
      }
    }
  }
  return out;
}

ordered_json studies_json(const std::vector<study_point>& points) {
  auto out = ordered_json::array();
  for (const auto& p : points) {
    ordered_json j;
    j["study"] = p.study;
    j["value"] = p.value;
    j["trials"] = p.result.methods.front().trials.size();
    j["validation"] = p.result.validation;
    j["methods"] = ordered_json::array();
    for (const auto& m : summarise_all(p.result))
      j["methods"].push_back(
          {{"name", m.name}, {"narea", to_json(m.narea)}, {"gain_over_zero", to_json(m.gain_over_zero)}});
    out.push_back(std::move(j));
  }
  return out;
}

/// A method's mean gain over another, its p-values, and the gain that the corrected t-test at .05 would find with
/// probability .8, from the spread of this table's trials.
struct comparison {
  std::string other;
  ur::mean_estimate gain;
  double p_sign = 1, detectable = 0;
};

/// `selected` against ZeroRouter, tuned K-NN and the paper's hard cells; those of them that are defined.
std::vector<comparison> compare_selected(const ur::protocol_result& result) {
  std::vector<comparison> out;
  for (const char* other : {"zero_router", "knn", "kmeans_hard"}) {
    if (!has(result.methods, "selected") || !has(result.methods, other)) continue;
    const auto gains = ur::paired_gains(result.method("selected"), result.method(other));
    if (gains.size() < 2) continue;
    comparison c{other, ur::corrected_resampled_t(gains, result.rho), ur::sign_test(gains), 0};
    // Half of the interval is t(.975) standard errors; power .8 wants another .84 of them.
    const double t = ur::student_t_quantile(0.05, static_cast<double>(gains.size() - 1));
    c.detectable = (c.gain.high - c.gain.low) / 2 * (1 + 0.84 / t);
    out.push_back(std::move(c));
  }
  return out;
}

std::vector<ur::chart_interval> gain_intervals(const std::vector<ur::method_summary>& all) {
  std::vector<ur::chart_interval> out;
  for (const auto& m : all) {
    if (!is_router(m.name) || !m.gain_over_zero) continue;
    const auto& g = m.gain_over_zero->mean;
    out.push_back({m.name, g.mean, g.low, g.high, m.name == "selected"});
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.mean > b.mean; });
  return out;
}

/// The gains as a picture, or the reason why there are none.
void add_gains(ur::html_page& page, const std::vector<ur::method_summary>& all, const std::string& title,
               std::string caption) {
  const auto gains = gain_intervals(all);
  if (gains.empty()) {
    page.paragraph(
        "No gain over ZeroRouter is defined: it takes two trials or more, and a pool whose LLMs do not all cost the "
        "same.");
    return;
  }
  page.figure(ur::interval_chart(gains, title, "gain of nArea over ZeroRouter"), std::move(caption));
}

void add_studies(ur::html_page& page, const std::vector<study_point>& points) {
  for (const auto& study : study_names) {
    std::vector<const study_point*> of;
    for (const auto& p : points) {
      if (p.study == study) of.push_back(&p);
    }
    if (of.empty()) continue;
    page.heading(title_of(study));
    if (of.size() == 1) {
      const auto all = summarise_all(of[0]->result);
      add_gains(page, all, title_of(study),
                ur::detail::text("Gain over ZeroRouter; ", of[0]->result.methods.front().trials.size(), " trials, ",
                                 of[0]->result.train, " training, ", of[0]->result.validation, " validation and ",
                                 of[0]->result.test, " test prompts in the first."));
      continue;
    }
    std::vector<ur::chart_line> lines;
    for (const auto* p : of) {
      const auto all = summarise_all(p->result);
      for (const auto& m : all) {
        if (!is_router(m.name) || !m.gain_over_zero) continue;
        auto line = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.name == m.name; });
        if (line == lines.end()) line = lines.insert(lines.end(), {m.name, {}, false, {}});
        line->points.emplace_back(p->value, m.gain_over_zero->mean.mean);
      }
    }
    if (lines.empty()) {
      page.paragraph("No gain over ZeroRouter is defined.");
      continue;
    }
    const std::string axis = study == "validation" ? "validation prompts"
                             : study == "clusters" ? "cells K"
                                                   : "share of outcomes hidden";
    page.figure(ur::line_chart(lines, {title_of(study), axis, "gain of nArea over ZeroRouter", true}),
                ur::detail::text("Mean gain of normalised area over ZeroRouter, ",
                                 of[0]->result.methods.front().trials.size(), " trials a point."));
  }
}

std::string page(const source& from, const protocol_settings& s, const ur::protocol_result& result,
                 const std::vector<ur::method_summary>& all, const std::vector<study_point>& studies) {
  ur::html_page page("Every method on unseen LLMs: " + from.table.name());
  add_introduction(page, from.table, s, from.encoder, result, all);
  page.heading("Gain over ZeroRouter");
  add_gains(
      page, all, "Gain over ZeroRouter",
      "What looking at the prompt adds: mean gain of normalised area with the 95% interval of the corrected "
      "t-test. Where they ran, selected mixes the methods that take in new LLMs, weighted on seen LLMs treated as "
      "new, and clairvoyant_mlp also knows the unseen LLMs' training outcomes, which no router has.");
  for (const auto& c : compare_selected(result))
    page.paragraph(ur::detail::text("selected gains ", signed_number(c.gain.mean), " over ", c.other, " (corrected p ",
                                    p_text(c.gain.p_value), ", sign test p ", p_text(c.p_sign),
                                    "); with this table's LLMs and prompts the corrected test at .05 finds a gain of ",
                                    ur::detail::fixed(c.detectable, 4),
                                    " with probability .8, and mostly calls "
                                    "smaller ones uncertain, however many trials are run."));
  std::vector<ur::method_summary> paper, rivals;
  for (const auto& m : all) {
    const bool both = m.name == "zero_router" || m.name == "selected" || m.name == "oracle";
    const bool first = m.name == "knn" || m.name.starts_with("kmeans") || m.name == "learned_map" ||
                       m.name == "best_single" || m.name == "random" || m.name == "cheapest";
    if (both || first) paper.push_back(m);
    if (is_router(m.name) && !first && m.name != "selected") rivals.push_back(m);
  }
  const auto curves = curve_lines(paper);
  page.heading("Deferral curves");
  page.figure(ur::line_chart(curves, {"Deferral curves", cost_axis, "mean quality"}),
              "The paper's methods, selected, and what they are measured against; means over the trials.");
  const auto add_gain_lines = [&](const auto& of, const std::string& title, std::string caption) {
    const auto lines = gain_lines(of);
    if (!lines.empty())
      page.figure(ur::line_chart(lines, {title, cost_axis, "quality above ZeroRouter", true}), std::move(caption));
  };
  add_gain_lines(curves, "Gain over ZeroRouter", "The same, less ZeroRouter.");
  rivals.insert(rivals.begin(),
                *std::find_if(all.begin(), all.end(), [](const auto& m) { return m.name == "zero_router"; }));
  add_gain_lines(curve_lines(rivals), "Gain of rivals", "The other methods, less ZeroRouter.");
  add_metrics(page, result, all);
  add_studies(page, studies);
  return std::move(page).finish();
}

/// The studies that this table can have; one that was asked for by name and cannot be is refused.
std::vector<std::string> studies_of(const source& from, const protocol_settings& s) {
  if (std::find(s.studies.begin(), s.studies.end(), "all") == s.studies.end()) {
    const bool shift = std::find(s.studies.begin(), s.studies.end(), "shift") != s.studies.end();
    ur::detail::require(!shift || !ur::detail::shift_targets(from.table).empty(),
                        "paper_protocol: --studies is shift, but must be another where a table ('", from.table.name(),
                        "') has no category of 200 prompts or more beside others");
    return s.studies;
  }
  std::vector<std::string> out = study_names;
  if (ur::detail::shift_targets(from.table).empty()) {
    std::erase(out, "shift");
    std::puts("No study of shift: the table has no category of 200 prompts or more beside others.");
  }
  return out;
}

int run(protocol_settings s) {
  const source from = open_source(s);
  announce(from);
  s.studies = studies_of(from, s);
  auto what = settings_json("paper_protocol", s, from);
  what["methods"] = s.methods;
  what["study_trials"] = s.study_trials;
  resumable_results kept("paper_protocol", s.out, what);
  progress_bar bar;
  auto options = options_of(s);
  const auto list = chosen_methods(s.methods);
  options.clairvoyant = has(list, "clairvoyant_mlp");
  if (has(list, "selected")) options.shuffled = "selected";
  options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
  const auto result = run_resumable(kept, "trial", from, list, options, from.expected);
  const auto all = summarise_all(result);
  const auto studies = run_studies(from, s, kept);
  auto json = results_json(from.table, s, from.encoder, result, all);
  json["studies"] = studies_json(studies);
  json["selected_against"] = ordered_json::array();
  for (const auto& c : compare_selected(result))
    json["selected_against"].push_back({{"method", c.other},
                                        {"mean", c.gain.mean},
                                        {"low", c.gain.low},
                                        {"high", c.gain.high},
                                        {"p_corrected_t", c.gain.p_value},
                                        {"p_sign", c.p_sign},
                                        {"detectable_gain", c.detectable}});
  // The folder is replaced as a whole; until then partial.jsonl stays.
  ur::staged_directory staged("paper_protocol", s.out, marker_of(s.out));
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("trials.csv", trials_csv(result));
  staged.write("index.html", page(from, s, result, all, studies));
  staged.commit();
  print_result(s, result, all);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  protocol_settings s;
  s.out = "out/paper_protocol";
  CLI::App app{"Every method on LLMs that none has seen"};
  add_options(app, s);
  std::vector<std::string> names = study_names;
  names.push_back("all");
  std::vector<std::string> routers;
  for (const auto& m : methods::all_methods()) {
    if (is_router(m.name)) routers.push_back(m.name);
  }
  app.add_option("--methods", s.methods, "only these of the methods, joined by commas; the references always run")
      ->check(CLI::IsMember(routers))
      ->delimiter(',');
  app.add_option("--studies", s.studies, "also: static, validation, clusters, shift, missing, or all")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  app.add_option("--study-trials", s.study_trials, "random splits for each point of a study")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  parse(app, argc, argv);
  return guard("paper_protocol", [&] { return run(s); });
}
