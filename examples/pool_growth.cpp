// LLMs join a pool one by one and leave it one by one: what each step costs, and what λ means on the way.
// ctest: --trials 2 --validation 120 --out out

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using nlohmann::ordered_json;
using settings = ur::experiment_settings;

namespace {

/// The pool that λ is set on has this many LLMs, or two if there are too few.
constexpr std::size_t first_pool = 3;
/// With fewer LLMs that can join, a trial has too few steps to tell of.
constexpr std::size_t least_pool = 3;

enum policy { raw_lambda, normalised_lambda, budget };
const std::vector<std::string> policy_names{"raw_lambda", "normalised_lambda", "budget"};

/// One policy after one step of one trial.
struct reading {
  double cost = 0;     ///< mean realised cost of a test prompt, as a multiple of the budget
  double quality = 0;  ///< mean quality on the test prompts
  double lambda = 0;   ///< quality per unit cost that the policy trades at, as a multiple of the first pool's
};

struct step_result {
  std::size_t pool = 0;
  bool can_be_met = true;  ///< the budget lies between the cheapest LLM's cost and that of λ = 0
  std::vector<reading> policies{policy_names.size()};
};

struct trial_result {
  std::vector<step_result> steps;                 ///< none where fewer than least_pool LLMs can join
  std::vector<double> enroll, retire, calibrate;  ///< seconds of each step, over a full refit of the pool it leads to
  std::size_t train = 0, validation = 0, test = 0, unseen = 0;
};

ordered_json trial_json(const trial_result& t) {
  using ur::detail::exact_json;
  ordered_json out{{"train", t.train}, {"validation", t.validation}, {"test", t.test}, {"unseen", t.unseen}};
  for (const auto& step : t.steps) {
    ordered_json j{{"pool", step.pool}, {"can_be_met", step.can_be_met}};
    for (const auto& r : step.policies)
      j["policies"].push_back({exact_json(r.cost), exact_json(r.quality), exact_json(r.lambda)});
    out["steps"].push_back(std::move(j));
  }
  for (const auto& [name, of] : {std::pair("enroll", &t.enroll), {"retire", &t.retire}, {"calibrate", &t.calibrate}}) {
    for (const double v : *of) out[name].push_back(exact_json(v));
  }
  return out;
}

trial_result trial_of(const ordered_json& json) {
  using ur::detail::exact_number;
  trial_result t;
  t.train = json.at("train").get<std::size_t>();
  t.validation = json.at("validation").get<std::size_t>();
  t.test = json.at("test").get<std::size_t>();
  t.unseen = json.at("unseen").get<std::size_t>();
  if (json.contains("steps")) {
    for (const auto& j : json["steps"]) {
      step_result step{j.at("pool").get<std::size_t>(), j.at("can_be_met").get<bool>(), {}};
      for (const auto& r : j.at("policies"))
        step.policies.push_back({exact_number(r.at(0)), exact_number(r.at(1)), exact_number(r.at(2))});
      t.steps.push_back(std::move(step));
    }
  }
  for (const auto& [name, of] : {std::pair("enroll", &t.enroll), {"retire", &t.retire}, {"calibrate", &t.calibrate}}) {
    if (!json.contains(name)) continue;
    for (const auto& v : json[name]) of->push_back(exact_number(v));
  }
  return t;
}

template <class Work>
double seconds_of(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A prompt's realised loss and cost for each LLM of the table, by the router's choices.
ur::curve_point realise(const ur::routing_table& test, const std::vector<std::uint32_t>& choices,
                        std::span<const std::string> models) {
  std::vector<std::size_t> column_of;
  for (const auto& name : models) column_of.push_back(test.model_index(name));
  std::vector<std::size_t> all(test.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const auto losses = ur::take(test.losses(), all, column_of), costs = ur::take(test.costs(), all, column_of);
  ur::detail::choice_tally tally(losses);
  for (std::size_t i = 0; i < choices.size(); ++i)
    tally.choose(choices[i], losses(i, choices[i]), costs(i, choices[i]));
  return tally.point(0);
}

/// The dearest LLM's mean cost, as the router estimates it (one cost per LLM).
template <class Router>
double dearest_of(const Router& router) {
  const auto costs = router.costs().costs();
  return *std::max_element(costs.begin(), costs.end());
}

template <class Reader>
trial_result run_trial(const ur::routing_table& table, Reader reader, const settings& s, std::size_t index) {
  const std::uint64_t seed = ur::derive_seed(s.seed, index);
  ur::split_options how;
  how.train = how.validation = 0.35;
  how.validation_prompts = std::min(s.validation, table.size() * 35 / 100);
  how.seed = seed;
  const auto split = ur::split(table, how);
  trial_result out;
  out.train = split.train.size();
  out.validation = split.validation.size();
  out.test = split.test.size();

  std::vector<std::string> order;  // LLMs without any outcome on validation or test cannot join
  for (const auto& name : split.unseen) {
    const auto observed = [&](const ur::routing_table& t) {
      const auto losses = ur::column(t.losses(), t.model_index(name));
      return !std::all_of(losses.begin(), losses.end(), ur::is_missing);
    };
    if (observed(split.validation) && observed(split.test)) order.push_back(name);
  }
  out.unseen = order.size();
  if (order.size() < least_pool) return out;
  ur::random_engine draws(ur::derive_seed(seed, 3));
  ur::shuffle(std::span(order), draws);
  std::vector<std::string> leaving = order;
  ur::shuffle(std::span(leaving), draws);

  // One router per policy would do the same work three times: one is enrolled in, and lends its pool to each rule.
  const ur::router unfitted{std::move(reader),
                            ur::kmeans{{.clusters = std::min<std::size_t>(25, out.train), .seed = seed}},
                            ur::proximity_map{}, ur::shrunken_mean{}, ur::best_quality_rule{}};
  auto router = unfitted;
  router.fit(split.train);
  const std::size_t first = std::min(first_pool, order.size() - 1);
  router.enroll(split.validation, std::span<const std::string>(order).first(first));

  // λ is set on the first pool so that its mean cost is half-way between the cheapest LLM's and that of λ = 0.
  const auto x_validation = ur::embed(router.reader(), split.validation);
  const auto costs = router.estimate_costs(x_validation);
  const double cheapest = [&] {
    const auto row = ur::row(costs, 0);
    return *std::min_element(row.begin(), row.end());
  }();
  const auto free_choices = router.route(x_validation);
  double free_cost = 0;
  for (std::size_t i = 0; i < free_choices.size(); ++i)
    free_cost += costs(i, free_choices[i]) / static_cast<double>(free_choices.size());
  const double allowed = (cheapest + free_cost) / 2;
  auto first_rule = router.with_rule(ur::budget_rule{{.budget = allowed, .seed = seed}});
  first_rule.calibrate(x_validation);
  const double lambda = first_rule.rule().lambda(), first_dearest = dearest_of(router);
  const double normalised = lambda * first_dearest;
  const auto x_test = ur::embed(router.reader(), split.test);

  const auto read = [&] {
    step_result step;
    step.pool = router.size();
    const auto measure = [&](const auto& with, double at) {
      const auto point = realise(split.test, with.route(x_test), with.models());
      return reading{allowed > 0 ? point.cost / allowed : 1, point.quality, lambda > 0 ? at / lambda : 1};
    };
    step.policies[raw_lambda] = measure(router.with_rule(ur::lagrangian_rule{{.lambda = lambda}}), lambda);
    step.policies[normalised_lambda] =
        measure(router.with_rule(ur::lagrangian_rule{{.lambda = normalised, .normalise_costs = true}}),
                dearest_of(router) > 0 ? normalised / dearest_of(router) : lambda);
    auto with_budget = router.with_rule(ur::budget_rule{{.budget = allowed, .seed = seed}});
    try {
      out.calibrate.push_back(seconds_of([&] { with_budget.calibrate(x_validation); }));
      step.policies[budget] = measure(with_budget, with_budget.rule().lambda());
      step.can_be_met = with_budget.rule().slack() == 0;
    } catch (const std::invalid_argument&) {  // every LLM of the pool costs more than the budget: the cheapest is asked
      const double dear = 1e9 * (lambda > 0 ? lambda : 1);
      step.policies[budget] = measure(router.with_rule(ur::lagrangian_rule{{.lambda = dear}}), 0);
      step.can_be_met = false;
    }
    out.steps.push_back(std::move(step));
  };
  // The time of a step is told as a share of what it would take to fit everything again for the pool after it.
  const auto refit_seconds = [&](std::span<const std::string> pool) {
    auto anew = unfitted;
    return seconds_of([&] {
      anew.fit(split.train);
      anew.enroll(split.validation, pool);
    });
  };

  read();
  for (std::size_t at = first; at < order.size(); ++at) {
    const std::size_t h = split.validation.model_index(order[at]);
    const auto losses = ur::column(split.validation.losses(), h), of = ur::column(split.validation.costs(), h);
    const double took = seconds_of([&] { router.enroll(order[at], losses, std::span<const double>(of)); });
    out.enroll.push_back(took / refit_seconds(router.models()));
    read();
  }
  for (std::size_t at = 0; at + first < leaving.size(); ++at) {
    const double took = seconds_of([&] { router.retire(leaving[at]); });
    out.retire.push_back(took / refit_seconds(router.models()));
    read();
  }
  // Recalibration is told as a share of the refit of the whole pool.
  const double whole = refit_seconds(order);
  for (double& seconds : out.calibrate) seconds /= whole;
  return out;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// exp of a mean of logarithms and of its interval: a geometric mean.
ur::mean_estimate geometric(const ur::mean_estimate& e) {
  return {std::exp(e.mean), std::exp(e.low), std::exp(e.high), e.p_value};
}

/// One policy over all trials.
struct policy_summary {
  std::vector<ur::mean_estimate> log_cost, quality, log_lambda;  ///< per step; logarithms of multiples
  /// exp of the root mean square of the logarithms, over the steps after the first; of the costs also over those at
  /// which the budget can be met.
  ur::mean_estimate cost_drift, met_drift, lambda_drift;
};

struct summary {
  std::vector<std::size_t> pools;  ///< size after each step, of the trials with the most steps
  std::vector<policy_summary> policies;
  double can_be_met = 0;                         ///< share of the steps after the first at which the budget can be met
  double enroll = 0, retire = 0, calibrate = 0;  ///< medians
  double rho = 0;
  trial_result sizes;
  std::size_t trials = 0;  ///< that count: those with the most steps
};

class root_mean_square {
 public:
  void add(double value) {
    squares_ += value * value;
    count_ += 1;
  }
  double value() const { return count_ > 0 ? std::sqrt(squares_ / count_) : 0; }

 private:
  double squares_ = 0, count_ = 0;
};

summary summarise(const std::vector<trial_result>& all) {
  summary out;
  std::size_t steps = 0;
  for (const auto& t : all) steps = std::max(steps, t.steps.size());
  ur::detail::require(steps != 0, "pool_growth: no trial has ", least_pool,
                      " unseen LLMs with outcomes on validation and test prompts, but one must have them");
  std::vector<const trial_result*> trials;  // the longest: an LLM without outcomes shortens a trial
  for (const auto& t : all) {
    if (t.steps.size() == steps) trials.push_back(&t);
  }
  out.trials = trials.size();
  out.sizes = *trials.front();
  out.rho = static_cast<double>(out.sizes.test) / static_cast<double>(out.sizes.train + out.sizes.validation);
  for (const auto& step : trials.front()->steps) out.pools.push_back(step.pool);
  for (const auto* t : trials) {
    for (std::size_t k = 1; k < steps; ++k)
      out.can_be_met += t->steps[k].can_be_met ? 1 / static_cast<double>(trials.size() * (steps - 1)) : 0;
  }
  for (std::size_t p = 0; p < policy_names.size(); ++p) {
    policy_summary of;
    std::vector<double> cost_drifts, met_drifts, lambda_drifts;
    for (const auto* t : trials) {
      root_mean_square cost, met, lambda;
      for (std::size_t k = 1; k < steps; ++k) {
        const reading& r = t->steps[k].policies[p];
        if (r.cost > 0) cost.add(std::log(r.cost));
        if (r.cost > 0 && t->steps[k].can_be_met) met.add(std::log(r.cost));
        if (r.lambda > 0) lambda.add(std::log(r.lambda));
      }
      cost_drifts.push_back(cost.value());
      met_drifts.push_back(met.value());
      lambda_drifts.push_back(lambda.value());
    }
    of.cost_drift = geometric(ur::corrected_resampled_t(cost_drifts, out.rho));
    of.met_drift = geometric(ur::corrected_resampled_t(met_drifts, out.rho));
    of.lambda_drift = geometric(ur::corrected_resampled_t(lambda_drifts, out.rho));
    for (std::size_t k = 0; k < steps; ++k) {
      std::vector<double> cost, quality, lambda;
      for (const auto* t : trials) {
        const reading& r = t->steps[k].policies[p];
        if (r.cost > 0) cost.push_back(std::log(r.cost));
        quality.push_back(r.quality);
        if (r.lambda > 0) lambda.push_back(std::log(r.lambda));
      }
      for (auto* values : {&cost, &lambda}) {
        if (values->empty()) values->push_back(0);
      }
      of.log_cost.push_back(ur::corrected_resampled_t(cost, out.rho));
      of.quality.push_back(ur::corrected_resampled_t(quality, out.rho));
      of.log_lambda.push_back(ur::corrected_resampled_t(lambda, out.rho));
    }
    out.policies.push_back(std::move(of));
  }
  std::vector<double> enroll, retire, calibrate;
  for (const auto* t : trials) {
    enroll.insert(enroll.end(), t->enroll.begin(), t->enroll.end());
    retire.insert(retire.end(), t->retire.begin(), t->retire.end());
    calibrate.insert(calibrate.end(), t->calibrate.begin(), t->calibrate.end());
  }
  out.enroll = median(std::move(enroll));
  out.retire = median(std::move(retire));
  out.calibrate = median(std::move(calibrate));
  return out;
}

std::string step_name(const summary& s, std::size_t k) {
  return ur::detail::text(k == 0 ? "start" : s.pools[k] > s.pools[k - 1] ? "joins" : "leaves", ", ", s.pools[k]);
}

ordered_json results_json(const ur::experiment_source& task, const settings& s, const summary& of) {
  ordered_json out;
  out["table"] = ur::table_json(task.table);
  out["protocol"] = {{"trials", of.trials},
                     {"trials_left_out", s.trials - of.trials},
                     {"seed", s.seed},
                     {"validation", of.sizes.validation},
                     {"unseen", of.sizes.unseen},
                     {"train", of.sizes.train},
                     {"test", of.sizes.test},
                     {"encoder", task.encoder},
                     {"rho", of.rho}};
  out["seconds_over_full_refit"] = {{"enroll", of.enroll}, {"retire", of.retire}, {"calibrate", of.calibrate}};
  out["steps_at_which_the_budget_can_be_met"] = of.can_be_met;
  out["policies"] = ordered_json::array();
  for (std::size_t p = 0; p < policy_names.size(); ++p) {
    const auto& policy = of.policies[p];
    ordered_json j;
    j["name"] = policy_names[p];
    j["cost_drift_factor"] = ur::tested_json(policy.cost_drift);
    j["lambda_drift_factor"] = ur::tested_json(policy.lambda_drift);
    j["cost_drift_factor_where_the_budget_can_be_met"] = ur::tested_json(policy.met_drift);
    for (std::size_t k = 0; k < of.pools.size(); ++k) {
      j["steps"].push_back({{"pool", of.pools[k]},
                            {"cost_over_budget", ur::tested_json(geometric(policy.log_cost[k]))},
                            {"quality", ur::tested_json(policy.quality[k])},
                            {"lambda_over_first", ur::tested_json(geometric(policy.log_lambda[k]))}});
    }
    out["policies"].push_back(std::move(j));
  }
  return out;
}

std::string times(double value) { return ur::detail::fixed(value, 2) + "×"; }

std::vector<std::vector<std::string>> steps_table(const summary& s) {
  std::vector<std::vector<std::string>> rows{{"step, LLMs"}};
  for (const std::string what : {"cost", "quality", "λ"}) {
    for (const auto& name : policy_names) rows[0].push_back(what + ": " + name);
  }
  for (std::size_t k = 0; k < s.pools.size(); ++k) {
    std::vector<std::string> r{step_name(s, k)};
    for (const auto& p : s.policies) r.push_back(times(std::exp(p.log_cost[k].mean)));
    for (const auto& p : s.policies) r.push_back(ur::detail::fixed(p.quality[k].mean, 3));
    for (const auto& p : s.policies) r.push_back(times(std::exp(p.log_lambda[k].mean)));
    rows.push_back(std::move(r));
  }
  return rows;
}

std::vector<std::vector<std::string>> drift_table(const summary& s) {
  std::vector<std::vector<std::string>> rows{{"policy", "mean cost: factor", "95% interval", "where it can be met",
                                              "95% interval", "λ: factor", "95% interval"}};
  for (std::size_t p = 0; p < policy_names.size(); ++p) {
    rows.push_back({policy_names[p]});
    for (const auto* drift : {&s.policies[p].cost_drift, &s.policies[p].met_drift, &s.policies[p].lambda_drift}) {
      rows.back().push_back(times(drift->mean));
      rows.back().push_back(times(drift->low) + " to " + times(drift->high));
    }
  }
  return rows;
}

std::string timing_text(const summary& s) {
  const auto share = [](double ratio) { return ur::detail::fixed(100 * ratio, ratio < 1e-3 ? 3 : 2) + "%"; };
  return ur::detail::text(
      "A step takes, as a share of fitting everything again for the pool after it (medians): an "
      "LLM joins ",
      share(s.enroll), ", leaves ", share(s.retire), ", the budget is calibrated again ", share(s.calibrate), ".");
}

/// Which trials do not count, or nothing.
std::string left_out_text(const settings& s, const summary& of) {
  if (of.trials == s.trials) return "";
  return ur::detail::text("Left out: ", s.trials - of.trials, " of ", s.trials, " trials, in which fewer than ",
                          of.sizes.unseen, " unseen LLMs have outcomes on validation and test prompts.");
}

std::string page(const ur::experiment_source& task, const settings& s, const summary& of) {
  ur::html_page page("A pool that grows and shrinks: " + task.table.name());
  page.paragraph(ur::detail::text(
      task.table.size(), " prompts, ", task.table.model_count(), " LLMs; ", of.trials, " random trials, seed ", s.seed,
      ": ", of.sizes.train, " training, ", of.sizes.validation, " validation and ", of.sizes.test,
      " test prompts. Encoder: ", task.encoder, ". Unseen LLMs join one by one in random order, from a pool of ",
      of.pools.front(), " to one of ", of.sizes.unseen,
      ", and leave one by one in another order. λ is set on the first pool, so that its mean cost there is half-way "
      "between the cheapest LLM's and what the best predicted quality costs, and is then kept as it is: as a raw λ, "
      "as a λ on costs divided by the dearest LLM's (normalise_costs), and as the budget itself, for which λ is "
      "calibrated again after each step on the validation prompts, without outcomes."));
  for (const auto& note : task.table.notes()) page.paragraph(note);
  if (const auto left_out = left_out_text(s, of); !left_out.empty()) page.paragraph(left_out);
  const auto lines = [&](auto&& value) {
    std::vector<ur::chart_line> out;
    for (std::size_t p = 0; p < policy_names.size(); ++p) {
      out.push_back({policy_names[p], {}, false, p});
      for (std::size_t k = 0; k < of.pools.size(); ++k)
        out.back().points.emplace_back(static_cast<double>(k), value(of.policies[p], k));
    }
    return out;
  };
  const std::string x = "step: LLMs join, then leave";
  page.heading("What is spent");
  page.figure(ur::line_chart(lines([](const auto& p, std::size_t k) { return std::exp(p.log_cost[k].mean); }),
                             {"Mean cost over the budget", x, "mean cost / budget", true, false, {}}),
              "Realised mean cost of the test prompts as a multiple of the budget; geometric means over the "
              "trials that spent anything.");
  page.heading("What λ means");
  page.figure(ur::line_chart(lines([](const auto& p, std::size_t k) { return std::exp(p.log_lambda[k].mean); }),
                             {"Quality per unit cost", x, "λ / λ of the first pool", true, false, {}}),
              "The quality that a unit of cost must buy, as a multiple of the first pool's; geometric means. Steps at "
              "which a budget cannot be met are left out.");
  page.heading("What is got");
  page.figure(ur::line_chart(lines([](const auto& p, std::size_t k) { return p.quality[k].mean; }),
                             {"Mean quality", x, "mean quality", false, false, {}}),
              "Mean quality on the test prompts. Read it with the cost: policies spend differently.");
  page.heading("Drift");
  page.table(drift_table(of));
  page.paragraph(ur::detail::text(
      "Factor: exp of the root mean square, over the steps after the first, of the logarithm of mean cost / budget (of "
      "λ / first λ); 1 is no drift. The budget can be met at ",
      ur::detail::fixed(100 * of.can_be_met, 0),
      "% of the steps: at others every LLM of the pool costs more, or the best predicted quality costs less. "
      "Intervals: t over trials with the variance (1/n + ρ) s², ρ = ",
      ur::detail::fixed(of.rho, 3),
      ". A raw λ is a price and stays one; what it spends is the pool's business. A budget is spent whatever the pool, "
      "and its price moves. A normalised λ keeps neither when the dearest LLM changes."));
  page.heading("Cost of a step");
  page.paragraph(timing_text(of));
  page.heading("Step by step");
  page.table(steps_table(of));
  return std::move(page).finish();
}

int run(const settings& s) {
  const auto task = ur::open_experiment(s);
  ur::announce(task);
  ur::resumable_results kept("pool_growth", s.out, ur::settings_json("pool_growth", s, task));
  ur::progress_bar bar;
  const auto run_one = [&](std::size_t index) {
    return trial_json(task.encoder == "embeddings"
                          ? run_trial(task.table, ur::precomputed_embeddings{}, s, index)
                          : run_trial(task.table, ur::hashed_tfidf{{.dimension = 256}}, s, index));
  };
  ur::keep_going(kept, "trial", s.trials, s.threads, run_one, [&](auto done, auto all) { bar.show(done, all); });
  std::vector<trial_result> trials;
  for (std::size_t t = 0; t < s.trials; ++t) trials.push_back(trial_of(*kept.find("trial/" + std::to_string(t))));
  const summary of = summarise(trials);
  ur::staged_directory staged("pool_growth", s.out, ur::marker_of(s.out));
  staged.write("results.json", results_json(task, s, of).dump(1) + "\n");
  staged.write("index.html", page(task, s, of));
  staged.commit();
  std::printf("\n");
  ur::print_table(drift_table(of));
  if (const auto left_out = left_out_text(s, of); !left_out.empty()) std::printf("\n%s\n", left_out.c_str());
  std::printf("\n%s\n\nLook at %s\n", timing_text(of).c_str(),
              (std::filesystem::path(s.out) / "index.html").string().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  s.out = "out/pool_growth";
  CLI::App app{"LLMs join and leave: cost of a step, drift of λ"};
  ur::add_options(app, s);
  ur::parse_options(app, argc, argv);
  return ur::run_job("pool_growth", [&] { return run(s); });
}
