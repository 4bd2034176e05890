#pragma once

// The paper's experiment: many random splits by prompt and by LLM, every method on each, means and tests.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/data/split.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/parallel.hpp>
#include <uniroute/evaluate/baselines.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/evaluate/trial.hpp>
#include <uniroute/random.hpp>
#include <uniroute/stats/cluster_bootstrap.hpp>
#include <uniroute/stats/paired_tests.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Embeddings of the whole table (n x D) by an encoder that was fitted on the training rows alone.
using embed_function = std::function<embedding_matrix(std::span<const std::size_t> training_rows)>;

struct protocol_options {
  std::size_t trials = 100;
  std::uint64_t seed = 1;
  std::size_t validation_prompts = 400;  ///< validation prompts of a trial; at most half of those not in the test
  double test = 0.3;                     ///< share of prompts
  double seen_models = 2.0 / 3;          ///< share of LLMs
  std::size_t threads = 0;               ///< 0: all of the machine; never changes a bit
  bool clairvoyant = false;              ///< fills `trial_data::clairvoyant_losses`, which clairvoyant methods ask for
  std::string shuffled = {};             ///< method whose choices are shuffled for `cost_matched_mixture`; "": none
  std::function<void(std::size_t done, std::size_t all)> on_trial = {};  ///< progress; called under a lock
};

/// Points of the grid that curves are averaged on: relative cost 0, .01 … 1 between the pool's cheapest and dearest.
inline constexpr std::size_t curve_grid = 101;

/// One method on one trial.
struct trial_score {
  metric area, narea, narea_prototype, qnc, aiq;
  double peak = 0;
  double collapse = 0;  ///< largest share of prompts that one LLM gets at λ = 0 (1: the router has collapsed onto it)
  double coverage = 1;  ///< least share of observed outcomes among the choices along the curve
  std::optional<predictor_quality> prediction;  ///< none for curves that are no predictor's
  std::array<double, curve_grid> curve{};       ///< quality at relative cost; the convention is the default
  std::array<double, curve_grid> cost{};        ///< cost there, as a share of the dearest model's
  std::string chosen;                           ///< hyper-parameters
};

/// All trials of one method.
struct method_result {
  std::string name;
  std::vector<trial_score> trials;
};

struct protocol_result {
  std::vector<method_result> methods;
  std::vector<std::vector<std::string>> pools;  ///< the unseen LLMs of each trial
  std::size_t unseen = 0;                       ///< LLMs hidden in each trial
  std::size_t train = 0, validation = 0,
              test = 0;     ///< prompts (of the first trial: groups of equal prompts may shift them)
  std::size_t dropped = 0;  ///< LLMs left out of a trial because no validation or test outcome of theirs was observed
  double rho = 0;           ///< test / (train + validation) prompts, for the corrected t-test
  bool static_pool = false;

  /// Throws std::invalid_argument for an unknown name.
  const method_result& method(std::string_view name) const {
    for (const auto& m : methods) {
      if (m.name == name) return m;
    }
    throw std::invalid_argument(detail::text("protocol_result::method: '", name, "' is not a method of this result"));
  }
};

namespace detail {

/// A trial with what methods may not see.
struct graded_trial {
  trial_data seen;
  loss_matrix losses;
  cost_matrix costs;
  loss_matrix bayes = make_matrix<double>(0, 0);
  std::array<std::size_t, 3> sizes{};
  std::size_t dropped = 0;
};

template <class Loss>
graded_trial make_trial(const basic_routing_table<Loss>& table, const loss_matrix& expected,
                        const embed_function& embed, const protocol_options& options, std::size_t index) {
  split_options how;
  how.train = (1 - options.test) * 0.5;
  how.validation = (1 - options.test) * 0.5;
  how.seen_models = options.seen_models;
  how.seed = derive_seed(options.seed, index);
  const auto half = static_cast<std::size_t>((1 - options.test) * static_cast<double>(table.size()) / 2);
  how.validation_prompts = std::max<std::size_t>(1, std::min(options.validation_prompts, half));
  split_indices rows_of = split_rows(table, how);
  graded_trial out;
  out.sizes = {rows_of.train.size(), rows_of.validation.size(), rows_of.test.size()};

  const auto observed = [&](const std::vector<std::size_t>& prompts, std::size_t h) {
    return std::any_of(prompts.begin(), prompts.end(), [&](auto i) { return !is_missing(table.losses()(i, h)); });
  };
  const auto unseen_at_all = [&](std::size_t h) {
    return !observed(rows_of.validation, h) || !observed(rows_of.test, h);
  };
  const auto gone = std::remove_if(rows_of.unseen.begin(), rows_of.unseen.end(), unseen_at_all);
  out.dropped = static_cast<std::size_t>(rows_of.unseen.end() - gone);
  rows_of.unseen.erase(gone, rows_of.unseen.end());
  require(!rows_of.unseen.empty(), "run_protocol: trial ", index, " has no unseen LLM with observed outcomes");

  trial_data& t = out.seen;
  const embedding_matrix x = embed(rows_of.train);
  require(rows(x) == table.size(), "run_protocol: embed returned ", rows(x), " rows, but must return ", table.size());
  t.seed = derive_seed(how.seed, 2);
  t.static_pool = rows_of.static_pool;
  t.train_x = take_rows(x, std::span<const std::size_t>(rows_of.train));
  t.validation_x = take_rows(x, std::span<const std::size_t>(rows_of.validation));
  t.test_x = take_rows(x, std::span<const std::size_t>(rows_of.test));
  t.train_losses = take(table.losses(), rows_of.train, rows_of.seen);
  t.train_costs = take(table.costs(), rows_of.train, rows_of.seen);
  t.validation_losses = take(table.losses(), rows_of.validation, rows_of.unseen);
  t.validation_costs = take(table.costs(), rows_of.validation, rows_of.unseen);
  if (options.clairvoyant) t.clairvoyant_losses = take(table.losses(), rows_of.train, rows_of.unseen);
  for (const std::size_t h : rows_of.seen) t.seen.push_back(table.models()[h].name);
  for (const std::size_t h : rows_of.unseen) t.unseen.push_back(table.models()[h].name);
  out.losses = take(table.losses(), rows_of.test, rows_of.unseen);
  out.costs = take(table.costs(), rows_of.test, rows_of.unseen);
  if (expected.size() != 0) out.bayes = take(expected, rows_of.test, rows_of.unseen);
  return out;
}

inline trial_score score_curve(const deferral_curve& curve, const pool_range& pool, double reference_quality) {
  trial_score out;
  const curve_function f(curve, pool);
  out.area = area(f);
  out.narea = normalised_area(f);
  out.qnc = quality_neutral_cost(f, reference_quality);
  out.narea_prototype = normalised_area(curve_function(curve, pool, prototype_convention));
  out.aiq = normalised_area(curve_function(curve, pool, hull_convention));
  out.peak = f.peak();
  for (const auto& p : curve.points) out.coverage = std::min(out.coverage, p.coverage);
  for (std::size_t g = 0; g < curve_grid; ++g) {
    const double share = static_cast<double>(g) / static_cast<double>(curve_grid - 1);
    const double cost = pool.cheapest_cost + share * (pool.dearest_cost - pool.cheapest_cost);
    out.curve[g] = f(cost);
    out.cost[g] = pool.dearest_cost > 0 ? cost / pool.dearest_cost : 0;
  }
  return out;
}

/// The largest share of prompts whose least predicted loss is the same LLM's.
inline double collapse_of(const prediction& p) {
  std::vector<double> count(columns(p.losses), 0.0);
  for (std::size_t i = 0; i < rows(p.losses); ++i) {
    const auto costs = row(p.costs, rows(p.costs) == 1 ? 0 : i);
    const auto losses = row(p.losses, i);
    std::size_t best = 0;
    for (std::size_t h = 1; h < losses.size(); ++h) {
      if (losses[h] < losses[best] || (losses[h] == losses[best] && costs[h] < costs[best])) best = h;
    }
    count[best] += 1;
  }
  return *std::max_element(count.begin(), count.end()) / static_cast<double>(rows(p.losses));
}

}  // namespace detail

/// Runs every method on every trial, then the reference curves random, oracle (hindsight), and, if asked for,
/// cost_matched_mixture; oracle_bayes too if `expected` (γ*, n x M) is not empty. All methods of a trial see the same
/// split; trials run in parallel, and the result does not depend on the number of threads.
/// Throws std::invalid_argument for zero trials or a method that does not return its shapes, and what methods throw.
template <class Loss>
protocol_result run_protocol(const basic_routing_table<Loss>& table, const embed_function& embed,
                             std::span<const routing_method> methods, const protocol_options& options = {},
                             const loss_matrix& expected = make_matrix<double>(0, 0)) {
  detail::require(options.trials >= 1, "run_protocol: trials is 0, but must be at least 1");
  detail::require(options.test > 0 && options.test < 1, "run_protocol: test is ", options.test,
                  ", but must be between 0 and 1");
  protocol_result out;
  std::vector<std::string> names;
  for (const auto& method : methods) names.push_back(method.name);
  names.push_back("random");
  names.push_back("oracle");
  if (!options.shuffled.empty()) names.push_back("cost_matched_mixture");
  if (expected.size() != 0) names.push_back("oracle_bayes");
  for (auto& name : names) out.methods.push_back({name, std::vector<trial_score>(options.trials)});
  out.pools.resize(options.trials);

  std::mutex guard;
  std::size_t done = 0;
  detail::parallel_for(options.trials, options.threads, [&](std::size_t index, std::size_t) {
    const detail::graded_trial trial = detail::make_trial(table, expected, embed, options, index);
    const auto singles = single_models(trial.losses, trial.costs);
    const pool_range pool = range_of(singles);
    // The most accurate LLM on validation is the reference of QNC; its quality is realised on the test.
    const std::size_t best =
        most_accurate(column_means(trial.seen.validation_losses), column_means(trial.seen.validation_costs));
    std::size_t at = 0;
    const auto record = [&](const deferral_curve& curve) -> trial_score& {
      trial_score& score = out.methods[at++].trials[index];
      score = detail::score_curve(curve, pool, singles[best].quality);
      return score;
    };
    std::optional<deferral_curve> shuffled;
    for (const auto& method : methods) {
      const prediction p = method.predict(trial.seen);
      const bool shares = method.name == options.shuffled;
      const auto curve = trace_curve(p.losses, p.costs, trial.losses, trial.costs, {.shares = shares});
      trial_score& score = record(curve);
      score.prediction = measure_predictor(p.losses, trial.losses);
      score.collapse = detail::collapse_of(p);
      score.chosen = p.chosen;
      if (shares) shuffled = shuffled_choices(curve, trial.losses, trial.costs);
    }
    record(random_choice(trial.losses, trial.costs)).collapse = 1 / static_cast<double>(singles.size());
    record(hindsight_oracle(trial.losses, trial.costs));
    if (!options.shuffled.empty()) {
      detail::require(shuffled.has_value(), "run_protocol: shuffled is '", options.shuffled, "', but must be a method");
      record(*shuffled);
    }
    if (expected.size() != 0) record(trace_curve(trial.bayes, trial.costs, trial.losses, trial.costs));
    out.pools[index] = trial.seen.unseen;

    const std::lock_guard lock(guard);
    if (index == 0) {
      out.train = trial.sizes[0];
      out.validation = trial.sizes[1];
      out.test = trial.sizes[2];
      out.unseen = singles.size() + trial.dropped;
      out.static_pool = trial.seen.static_pool;
      out.rho = static_cast<double>(out.test) / static_cast<double>(out.train + out.validation);
    }
    out.dropped += trial.dropped;
    if (options.on_trial) options.on_trial(++done, options.trials);
  });
  return out;
}

/// A gain over another method: mean and interval by the corrected resampled t-test, the sign test, and an interval over
/// LLMs.
struct gain_summary {
  mean_estimate mean;  ///< p_value: corrected t
  double p_sign = 1;
  std::optional<bootstrap_interval> over_models;  ///< cluster bootstrap over the LLMs; none in a static pool
};

/// One method over all trials. Metrics are undefined (no value) if they are in any trial; QNC is the mean of the
/// trials in which it was reached.
struct method_summary {
  std::string name;
  std::optional<mean_estimate> area, narea, narea_prototype, aiq;
  mean_estimate peak;
  std::optional<double> qnc;  ///< mean over the trials that reached it
  double reached = 0;         ///< share of trials
  double collapse = 0, coverage = 1;
  std::optional<predictor_quality> prediction;
  std::optional<gain_summary> gain_over_zero, gain_over_knn;  ///< of nArea, default convention
  std::array<double, curve_grid> curve{}, cost{};             ///< means
  std::vector<std::pair<std::string, std::size_t>> chosen;    ///< hyper-parameters and how often
};

namespace detail {

inline std::optional<std::vector<double>> collect(const method_result& m, metric trial_score::*which) {
  std::vector<double> out;
  for (const auto& trial : m.trials) {
    if (!(trial.*which)) return std::nullopt;
    out.push_back(*(trial.*which));
  }
  return out;
}

}  // namespace detail

/// nArea of `a` less nArea of `b`, trial by trial; differences of rounding are 0. Empty where it is undefined.
inline std::vector<double> paired_gains(const method_result& a, const method_result& b) {
  const auto x = detail::collect(a, &trial_score::narea), y = detail::collect(b, &trial_score::narea);
  std::vector<double> out;
  for (std::size_t t = 0; x && y && t < x->size(); ++t) {
    const double gain = (*x)[t] - (*y)[t];
    out.push_back(std::fabs(gain) < 1e-12 ? 0 : gain);
  }
  return out;
}

/// Means, intervals and tests of one method. Gains are over the methods `zero_router` and `knn`, where they were run.
inline method_summary summarise(const protocol_result& result, const method_result& m) {
  method_summary out;
  out.name = m.name;
  const auto estimate = [&](metric trial_score::*which) -> std::optional<mean_estimate> {
    const auto values = detail::collect(m, which);
    if (!values) return std::nullopt;
    return corrected_resampled_t(*values, result.rho);
  };
  out.area = estimate(&trial_score::area);
  out.narea = estimate(&trial_score::narea);
  out.narea_prototype = estimate(&trial_score::narea_prototype);
  out.aiq = estimate(&trial_score::aiq);
  const double n = static_cast<double>(m.trials.size());
  std::vector<double> peaks;
  double qnc = 0, reached = 0;
  predictor_quality quality;
  double auc = 0, with_auc = 0, with_prediction = 0;
  for (const auto& trial : m.trials) {
    peaks.push_back(trial.peak);
    if (trial.qnc) {
      qnc += *trial.qnc;
      reached += 1;
    }
    out.collapse += trial.collapse / n;
    out.coverage = std::min(out.coverage, trial.coverage);
    for (std::size_t g = 0; g < curve_grid; ++g) {
      out.curve[g] += trial.curve[g] / n;
      out.cost[g] += trial.cost[g] / n;
    }
    if (trial.prediction) {
      with_prediction += 1;
      quality.brier += trial.prediction->brier;
      quality.log_loss += trial.prediction->log_loss;
      quality.calibration_error += trial.prediction->calibration_error;
      if (trial.prediction->auc) {
        auc += *trial.prediction->auc;
        with_auc += 1;
      }
    }
    if (!trial.chosen.empty()) {
      const auto known =
          std::find_if(out.chosen.begin(), out.chosen.end(), [&](const auto& c) { return c.first == trial.chosen; });
      if (known == out.chosen.end())
        out.chosen.emplace_back(trial.chosen, 1);
      else
        ++known->second;
    }
  }
  std::stable_sort(out.chosen.begin(), out.chosen.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  out.peak = corrected_resampled_t(peaks, result.rho);
  out.reached = reached / n;
  if (reached > 0) out.qnc = qnc / reached;
  if (with_prediction > 0) {
    quality.brier /= with_prediction;
    quality.log_loss /= with_prediction;
    quality.calibration_error /= with_prediction;
    if (with_auc > 0) quality.auc = auc / with_auc;
    out.prediction = quality;
  }
  const auto gain_over = [&](std::string_view other) -> std::optional<gain_summary> {
    for (const auto& o : result.methods) {
      if (o.name != other) continue;
      const auto gains = paired_gains(m, o);
      if (gains.empty()) return std::nullopt;
      return gain_summary{corrected_resampled_t(gains, result.rho), sign_test(gains),
                          result.static_pool ? std::nullopt : std::optional(cluster_bootstrap(gains, result.pools))};
    }
    return std::nullopt;
  };
  out.gain_over_zero = gain_over("zero_router");
  out.gain_over_knn = gain_over("knn");
  return out;
}

}  // namespace uniroute
