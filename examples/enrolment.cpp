// How many labels a new LLM needs, and on which prompts: quality against labels, for every design and some predictors.
// ctest: --trials 2 --validation 120 --labels 20 60 120 --out out

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings : ur::experiment_settings {
  std::vector<std::size_t> labels{25, 50, 100, 200, 400};
};

/// Predicted losses of the test prompts for a trial whose new LLMs were asked `sample` of the validation prompts.
using predict_function = std::function<ur::loss_matrix(const ur::trial_data&, const ur::label_sample&)>;
/// Which validation prompts a new LLM is asked.
using choose_function = std::function<ur::label_sample(const ur::trial_data&, std::size_t labels)>;

/// Everything that is fitted once a trial, whatever the labels.
struct workshop {
  std::vector<predict_function> predictors;
  std::vector<choose_function> designs;
};

template <ur::pool_adaptive Predictor>
predict_function fit_predictor(const ur::trial_data& trial, Predictor predictor) {
  predictor.fit(trial.train_x, trial.train_losses);
  return [p = std::move(predictor)](const ur::trial_data& t, const ur::label_sample& sample) mutable {
    p.set_validation(ur::take_rows(t.validation_x, std::span<const std::size_t>(sample.prompts)));
    for (std::size_t h = 0; h < t.unseen.size(); ++h) {
      std::vector<double> labels;
      for (const std::size_t i : sample.prompts) labels.push_back(t.validation_losses(i, h));
      if (std::all_of(labels.begin(), labels.end(), ur::is_missing)) {
        // Not answered at all: it counts as an LLM that is wrong half of the time.
        labels.assign(labels.size(), 0.5);
      }
      ur::enroll_sample(p, t.unseen[h], labels, sample);
    }
    return p.predict(t.test_x);
  };
}

/// The weighted mean of each column over the prompts asked. 1 x M.
ur::matrix<double> means_of(const ur::matrix<double>& values, const ur::label_sample& sample, double otherwise) {
  auto out = ur::make_matrix<double>(1, ur::columns(values), otherwise);
  for (std::size_t h = 0; h < ur::columns(values); ++h) {
    std::vector<double> asked;
    for (const std::size_t i : sample.prompts) asked.push_back(values(i, h));
    if (!std::all_of(asked.begin(), asked.end(), ur::is_missing)) out(0, h) = ur::weighted_mean(asked, sample.weights);
  }
  return out;
}

template <ur::label_design Design>
choose_function fit_design(const ur::trial_data& trial, Design design) {
  design.fit(trial.train_x, trial.train_losses);
  return [d = std::move(design)](const ur::trial_data& t, std::size_t labels) {
    return d.choose(t.validation_x, labels, t.seed);
  };
}

const std::vector<std::string> predictor_names{"zero_router", "kmeans_soft", "ridge", "gaussian_process",
                                               "item_response"};
const std::vector<std::string> design_names{"random", "spread", "stratified", "neyman", "disagreement", "leverage"};

workshop set_up(const ur::trial_data& trial) {
  workshop out;
  const std::size_t n = ur::rows(trial.train_x);
  const auto cells = [&](std::size_t k) { return ur::kmeans{{.clusters = std::min(k, n), .seed = trial.seed}}; };
  out.predictors.push_back([](const ur::trial_data& t, const ur::label_sample& sample) {
    return means_of(t.validation_losses, sample, 0.5);
  });
  out.predictors.push_back(
      fit_predictor(trial, ur::cell_predictor(cells(25), ur::proximity_map{}, ur::shrunken_mean{})));
  out.predictors.push_back(fit_predictor(trial, ur::ridge{}));
  out.predictors.push_back(fit_predictor(
      trial, ur::gaussian_process(
                 ur::kernel_sum<ur::linear_kernel, ur::transformed_kernel<ur::skills, ur::linear_kernel>>{})));
  out.predictors.push_back(fit_predictor(trial, ur::item_response{}));
  out.designs.push_back(fit_design(trial, ur::random_design{}));
  out.designs.push_back(fit_design(trial, ur::spread_design{}));
  out.designs.push_back(fit_design(trial, ur::stratified_design({}, cells(12))));
  out.designs.push_back(
      fit_design(trial, ur::stratified_design({.allocation = ur::label_allocation::neyman}, cells(12))));
  out.designs.push_back(fit_design(trial, ur::disagreement_design{}));
  out.designs.push_back(fit_design(trial, ur::leverage_design<>{}));
  return out;
}

const workshop& workshop_of(const ur::trial_data& trial) {
  return trial.memo.get<workshop>("workshop", [&] { return set_up(trial); });
}

std::string method_name(std::size_t predictor, std::size_t design, std::size_t labels) {
  return predictor_names[predictor] + "/" + design_names[design] + "/" + std::to_string(labels);
}

/// ZeroRouter with all labels, then every predictor with every design and number of labels. All labels are the same
/// prompts for every design: those are run once, under the first design's name.
std::vector<ur::routing_method> make_methods(const settings& s) {
  std::vector<ur::routing_method> out{ur::zero_router()};
  for (std::size_t p = 0; p < predictor_names.size(); ++p) {
    for (std::size_t d = 0; d < design_names.size(); ++d) {
      for (const std::size_t labels : s.labels) {
        if (labels == s.labels.back() && d != 0) continue;
        out.push_back(
            {method_name(p, d, labels), [p, d, labels](const ur::trial_data& trial) {
               const workshop& w = workshop_of(trial);
               const auto sample = w.designs[d](trial, labels);
               return ur::prediction{w.predictors[p](trial, sample), means_of(trial.validation_costs, sample, 0)};
             }});
      }
    }
  }
  return out;
}

/// Gains over one reference, by number of labels, and how they stand to the target: at 100 labels at least 90% of the
/// gain at all labels.
struct gain_curve {
  std::vector<ur::mean_estimate> gain;
  ur::mean_estimate lack;  ///< gain at the target's labels less 90% of the gain at all labels
  double share = 0;        ///< gain at the target's labels / gain at all labels
};

/// One predictor with one design.
struct enrolment_curve {
  std::size_t predictor, design;
  std::vector<ur::mean_estimate> narea;
  gain_curve full;  ///< over ZeroRouter with all labels
  gain_curve same;  ///< over ZeroRouter with the same labels
};

constexpr std::size_t label_target = 100;
constexpr double share_target = 0.9;

/// Where in the list the number of labels is that the target speaks of: 100, or the nearest below.
std::size_t target_of(const settings& s) {
  std::size_t out = 0;
  for (std::size_t at = 0; at < s.labels.size(); ++at) out = s.labels[at] <= label_target ? at : out;
  return out;
}

/// Leaves out the trials whose pool gives no nArea, all its LLMs costing the same, and says how many they were: an
/// undefined value is no zero. Throws std::invalid_argument if none is left.
void leave_out_undefined(ur::protocol_result& result) {
  std::vector<std::size_t> kept;
  for (std::size_t t = 0; t < result.pools.size(); ++t) {
    if (std::all_of(result.methods.begin(), result.methods.end(),
                    [t](const auto& m) { return m.trials[t].of("narea"); }))
      kept.push_back(t);
  }
  const std::size_t left_out = result.pools.size() - kept.size();
  ur::detail::require(!kept.empty(), "enrolment: nArea is undefined in all ", left_out,
                      " trials (their LLMs cost the same), but must be defined in at least 1");
  const auto keep = [&](auto& of_trials) {
    for (std::size_t i = 0; left_out != 0 && i < kept.size(); ++i) of_trials[i] = of_trials[kept[i]];
    of_trials.resize(kept.size());
  };
  for (auto& m : result.methods) keep(m.trials);
  keep(result.pools);
  keep(result.singles);
}

/// `gains[at][trial]`, by number of labels.
gain_curve summarise_gains(const std::vector<std::vector<double>>& gains, std::size_t target, double rho) {
  gain_curve out;
  for (const auto& of_trials : gains) out.gain.push_back(ur::corrected_resampled_t(of_trials, rho));
  std::vector<double> lack = gains[target];
  for (std::size_t t = 0; t < lack.size(); ++t) lack[t] -= share_target * gains.back()[t];
  out.lack = ur::corrected_resampled_t(lack, rho);
  const double all = out.gain.back().mean;
  out.share = all > 0 ? out.gain[target].mean / all : 0;
  return out;
}

std::vector<enrolment_curve> summarise_curves(const ur::protocol_result& result, const settings& s) {
  std::vector<enrolment_curve> out;
  const auto of = [&](std::size_t p, std::size_t d, std::size_t labels) -> const ur::method_result& {
    return result.method(method_name(p, labels == s.labels.back() ? 0 : d, labels));
  };
  const auto& zero = result.method("zero_router");
  for (std::size_t p = 0; p < predictor_names.size(); ++p) {
    for (std::size_t d = 0; d < design_names.size(); ++d) {
      enrolment_curve c{p, d, {}, {}, {}};
      std::vector<std::vector<double>> full, same;
      for (const std::size_t labels : s.labels) {
        const auto& m = of(p, d, labels);
        std::vector<double> values;
        for (const auto& trial : m.trials) values.push_back(*trial.of("narea"));
        c.narea.push_back(ur::corrected_resampled_t(values, result.rho));
        full.push_back(ur::paired_gains(m, zero));
        same.push_back(ur::paired_gains(m, of(0, d, labels)));
      }
      c.full = summarise_gains(full, target_of(s), result.rho);
      c.same = summarise_gains(same, target_of(s), result.rho);
      out.push_back(std::move(c));
    }
  }
  return out;
}

ordered_json results_json(const ur::experiment_source& task, const settings& s, const ur::protocol_result& result,
                          const std::vector<enrolment_curve>& curves) {
  ordered_json out;
  out["table"] = ur::table_json(task.table);
  out["protocol"] = {{"trials", result.pools.size()},
                     {"trials_left_out", s.trials - result.pools.size()},
                     {"seed", s.seed},
                     {"validation", result.validation},
                     {"unseen", result.unseen},
                     {"train", result.train},
                     {"test", result.test},
                     {"encoder", task.encoder},
                     {"static_pool", result.static_pool},
                     {"rho", result.rho},
                     {"models_left_out_of_trials", result.dropped},
                     {"labels", s.labels}};
  out["convention"] = ur::convention_json();
  out["methods"] = ordered_json::array();
  for (const auto& m : result.methods) {
    const auto summary = ur::summarise(result, m);
    ordered_json j;
    j["name"] = m.name;
    j["area"] = ur::estimate_json(summary.of("area").interval);
    j["narea"] = ur::estimate_json(summary.of("narea").interval);
    j["narea_prototype"] = ur::estimate_json(summary.of("narea_prototype").interval);
    j["aiq"] = ur::estimate_json(summary.of("aiq").interval);
    j["gain_over_zero"] = ur::gain_json(summary.gain_over_zero);
    out["methods"].push_back(std::move(j));
  }
  out["enrolment"] = ordered_json::array();
  for (const auto& c : curves) {
    ordered_json j;
    j["predictor"] = predictor_names[c.predictor];
    j["design"] = design_names[c.design];
    j["labels"] = s.labels;
    for (const auto& e : c.narea) j["narea"].push_back(ur::tested_json(e));
    const auto add = [&](const char* name, const gain_curve& g) {
      for (const auto& e : g.gain) j[name]["gain"].push_back(ur::tested_json(e));
      j[name]["share_of_full_gain"] = g.share;
      j[name]["gain_less_90_percent_of_full_gain"] = ur::tested_json(g.lack);
    };
    j["target_labels"] = s.labels[target_of(s)];
    add("over_zero_with_all_labels", c.full);
    add("over_zero_with_same_labels", c.same);
    out["enrolment"].push_back(std::move(j));
  }
  return out;
}

std::vector<std::vector<std::string>> summary_table(const settings& s, const std::vector<enrolment_curve>& curves,
                                                    gain_curve enrolment_curve::*which) {
  const std::size_t target = target_of(s);
  std::vector<std::vector<std::string>> rows{{"predictor", "design"}};
  for (const std::size_t labels : s.labels) rows[0].push_back(std::to_string(labels));
  rows[0].push_back("95% at " + std::to_string(s.labels[target]));
  rows[0].push_back("share of gain at " + std::to_string(s.labels.back()));
  rows[0].push_back("above 90% by");
  for (const auto& c : curves) {
    const gain_curve& g = c.*which;
    if (c.predictor == 0 && which == &enrolment_curve::same) continue;
    std::vector<std::string> r{predictor_names[c.predictor], design_names[c.design]};
    for (const auto& e : g.gain) r.push_back(ur::detail::signed_number(e.mean));
    r.push_back(ur::detail::signed_number(g.gain[target].low) + " to " +
                ur::detail::signed_number(g.gain[target].high));
    const bool gains = c.predictor != 0 && g.gain.back().mean > 0;
    r.push_back(gains ? ur::detail::fixed(100 * g.share, 0) + "%" : "");
    r.push_back(gains ? ur::detail::signed_number(g.lack.mean) : "");
    rows.push_back(std::move(r));
  }
  return rows;
}

/// Which rows of the table reach the target, the header first.
std::vector<bool> reached(const std::vector<std::vector<std::string>>& table) {
  std::vector<bool> out;
  for (const auto& r : table) out.push_back(!r.back().empty() && r.back().front() == '+');
  return out;
}

std::vector<std::pair<double, double>> points_of(const settings& s, const std::vector<ur::mean_estimate>& values) {
  std::vector<std::pair<double, double>> out;
  for (std::size_t at = 0; at < s.labels.size(); ++at)
    out.emplace_back(static_cast<double>(s.labels[at]), values[at].mean);
  return out;
}

/// Which trials do not count, or nothing.
std::string left_out_text(const settings& s, const ur::protocol_result& result) {
  if (result.pools.size() == s.trials) return "";
  return ur::detail::text("Left out: ", s.trials - result.pools.size(), " of ", s.trials,
                          " trials, in which nArea is undefined, because all LLMs of the pool cost the same.");
}

std::string page(const ur::experiment_source& task, const settings& s, const ur::protocol_result& result,
                 const std::vector<enrolment_curve>& curves) {
  ur::html_page page("Labels per new LLM: " + task.table.name());
  page.paragraph(ur::detail::text(
      task.table.size(), " prompts, ", task.table.model_count(), " LLMs; ", result.pools.size(),
      " random trials, seed ", s.seed, ": ", result.train, " training, ", result.validation, " validation and ",
      result.test, " test prompts, ", result.unseen,
      result.static_pool ? " LLMs, all enrolled (static pool)" : " unseen LLMs", ". Encoder: ", task.encoder,
      ". Each unseen LLM is run on as many validation prompts as the axis says and on no others: its outcomes and its "
      "costs are known there alone. All LLMs of a trial are asked the same prompts, chosen from embeddings and from "
      "what the seen LLMs did on the training prompts."));
  for (const auto& note : task.table.notes()) page.paragraph(note);
  if (const auto left_out = left_out_text(s, result); !left_out.empty()) page.paragraph(left_out);
  ur::chart_axes axes{"", "labels per new LLM", "nArea", false, false, {}};
  for (const std::size_t labels : s.labels) axes.log_ticks.push_back(static_cast<double>(labels));
  if (axes.log_ticks.size() < 2) axes.log_ticks.clear();

  page.heading("Predictors: quality against labels");
  std::vector<ur::chart_line> lines;
  for (const auto& c : curves) {
    if (design_names[c.design] == "spread")
      lines.push_back({predictor_names[c.predictor], points_of(s, c.narea), false, lines.size()});
  }
  axes.title = "nArea against labels, spread design";
  page.figure(ur::line_chart(lines, axes),
              "Mean nArea, prompts chosen by spread_design; ZeroRouter gets as many labels as the others.");
  page.heading("Designs: which prompts to ask");
  axes.y = "gain of nArea over ZeroRouter with all labels";
  axes.with_zero = true;
  for (std::size_t p = 1; p < predictor_names.size(); ++p) {
    lines.clear();
    for (const auto& c : curves) {
      if (c.predictor == p) lines.push_back({design_names[c.design], points_of(s, c.full.gain), false, lines.size()});
    }
    axes.title = predictor_names[p] + ": gain against labels";
    page.figure(ur::line_chart(lines, axes),
                predictor_names[p] + ", by design. With all labels designs do not differ.");
  }
  const auto all_labels = summary_table(s, curves, &enrolment_curve::full);
  const auto same_labels = summary_table(s, curves, &enrolment_curve::same);
  page.heading("Gain over ZeroRouter with all labels");
  page.table(all_labels, reached(all_labels));
  page.paragraph(ur::detail::text(
      "Gains of nArea (default convention) over ZeroRouter that has all ", s.labels.back(),
      " labels, by number of labels: what is lost by asking less includes what any router loses that does not know "
      "which LLM is the better one over all. Target: at ",
      s.labels[target_of(s)], " labels at least 90% of the gain at ", s.labels.back(),
      "; the last column says by how much of nArea the mean is above that (or below), and rows that reach it are bold. "
      "Intervals: t over trials with the variance (1/n + ρ) s², ρ = ",
      ur::detail::fixed(result.rho, 3), ", because trials share prompts and LLMs."));
  page.heading("Gain over ZeroRouter with the same labels");
  page.table(same_labels, reached(same_labels));
  page.paragraph(
      "The same, over a ZeroRouter that was given the same labels, by the same design and weights: what looking at the "
      "prompt adds to them.");
  return std::move(page).finish();
}

std::string narea_csv(const ur::protocol_result& result) {
  std::string out = "trial,method,metric,value\n";
  for (const auto& m : result.methods) {
    for (std::size_t t = 0; t < m.trials.size(); ++t) {
      if (m.trials[t].of("narea"))
        out += ur::detail::text(t, ",", m.name, ",narea,", ur::detail::shortest_digits(*m.trials[t].of("narea")), "\n");
    }
  }
  return out;
}

int run(settings s) {
  std::sort(s.labels.begin(), s.labels.end());
  s.labels.erase(std::unique(s.labels.begin(), s.labels.end()), s.labels.end());
  const auto task = ur::open_experiment(s);
  ur::announce(task);
  const auto costs = ur::column_means(task.table.costs());
  ur::detail::require(*std::max_element(costs.begin(), costs.end()) > *std::min_element(costs.begin(), costs.end()),
                      "enrolment: the mean cost of every LLM is ", costs(0, 0),
                      ", but must differ between LLMs (nArea would be undefined)");
  ur::progress_bar bar;
  auto options = ur::options_of(s);
  options.on_trial = [&](std::size_t done, std::size_t all) { bar.show(done, all); };
  const auto methods = make_methods(s);
  auto what = ur::settings_json("enrolment", s, task);
  what["labels"] = s.labels;
  ur::resumable_results kept("enrolment", s.out, what);
  auto result = ur::run_resumable(kept, "trial", task, methods, options);
  const std::string trials = narea_csv(result);
  leave_out_undefined(result);
  const auto curves = summarise_curves(result, s);
  // The folder is replaced as a whole; until then partial.jsonl stays.
  ur::staged_directory staged("enrolment", s.out, ur::marker_of(s.out));
  staged.write("results.json", results_json(task, s, result, curves).dump(1) + "\n");
  staged.write("trials.csv", trials);
  staged.write("index.html", page(task, s, result, curves));
  staged.commit();
  std::printf("\nGain of nArea over ZeroRouter with all labels, by labels per new LLM; %zu trials\n\n",
              result.pools.size());
  ur::print_table(summary_table(s, curves, &enrolment_curve::full));
  std::printf("\nGain of nArea over ZeroRouter with the same labels\n\n");
  ur::print_table(summary_table(s, curves, &enrolment_curve::same));
  if (const auto left_out = left_out_text(s, result); !left_out.empty()) std::printf("\n%s\n", left_out.c_str());
  std::printf("\nLook at %s\n", (std::filesystem::path(s.out) / "index.html").string().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  s.out = "out/enrolment";
  CLI::App app{"Labels per new LLM against quality, for designs and predictors"};
  ur::add_options(app, s);
  app.add_option("--labels", s.labels, "numbers of labels per new LLM; the last is 'all'")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  ur::parse_options(app, argc, argv);
  return ur::run_job("enrolment", [&] { return run(s); });
}
