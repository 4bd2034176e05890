#pragma once

// Means, intervals and tests of a method over the trials of an experiment.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/stats/cluster_bootstrap.hpp>
#include <uniroute/stats/paired_tests.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A gain over another method: mean and interval by the corrected resampled t-test, the sign test, and an interval over
/// LLMs.
struct gain_summary {
  mean_estimate mean;  ///< p_value: corrected t
  double p_sign = 1;
  std::optional<bootstrap_interval> over_models;  ///< cluster bootstrap over the LLMs; none in a static pool
};

/// One metric over all trials. A trial in which it is undefined is left out of its mean and tests.
struct metric_estimate {
  std::string name;
  metric mean;                            ///< over the trials that have a value; none if no trial has one
  std::optional<mean_estimate> interval;  ///< the same with the corrected interval
  double reached = 0;       ///< trials that have a value, as a share of those that have an area (of all, if none has)
  std::size_t defined = 0;  ///< trials that have a value
};

/// One method over all trials. Where all unseen LLMs cost the same (`left_out` trials) there is no trade-off and no
/// area.
struct method_summary {
  std::string name;
  method_role role = method_role::router;
  std::string about = {};
  std::vector<std::pair<std::string, double>> parameters = {};
  bool by_outcomes = false;  ///< a reference curve, drawn with the outcomes in hand
  std::vector<metric_estimate> metrics;
  std::size_t trials = 0, left_out = 0;  ///< all; those without an area
  double collapse = 0, coverage = 1;
  std::optional<predictor_quality> prediction;
  std::optional<gain_summary> gain_over_zero, gain_over_knn;  ///< of nArea, default convention
  std::array<double, curve_grid> curve{}, cost{};  ///< means over the trials that have an area (over all, if none has)
  std::array<double, curve_grid> curve_low{}, curve_high{};  ///< the corrected interval of each point of the curve
  std::vector<std::pair<std::string, std::size_t>> chosen;   ///< hyper-parameters and how often
  std::vector<std::pair<std::string, double>> weights;       ///< of the methods that it mixes, means over trials

  /// A metric's estimate. Throws std::invalid_argument for an unknown name.
  const metric_estimate& of(std::string_view metric_name) const {
    const auto found =
        std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.name == metric_name; });
    detail::require(found != metrics.end(), "method_summary::of: '", metric_name,
                    "' is no metric of this result, but must be one");
    return *found;
  }
};

/// nArea of `a` less nArea of `b`, trial by trial; differences of rounding are 0. Trials in which it is undefined are
/// left out; `kept`, if given, gets the indices of the others.
inline std::vector<double> paired_gains(const method_result& a, const method_result& b,
                                        std::vector<std::size_t>* kept = nullptr) {
  std::vector<double> out;
  for (std::size_t t = 0; t < std::min(a.trials.size(), b.trials.size()); ++t) {
    const metric &x = a.trials[t].of("narea"), &y = b.trials[t].of("narea");
    if (!x || !y) continue;
    if (kept != nullptr) kept->push_back(t);
    const double gain = *x - *y;
    out.push_back(std::fabs(gain) < 1e-12 ? 0 : gain);
  }
  return out;
}

/// Means, intervals and tests of one method. Gains are over the methods `zero_router` and `knn`, where they were run.
inline method_summary summarise(const protocol_result& result, const method_result& m) {
  method_summary out;
  out.name = m.name;
  out.role = m.role;
  out.about = m.about;
  out.parameters = m.parameters;
  out.by_outcomes = m.by_outcomes;
  out.trials = m.trials.size();
  const double n = static_cast<double>(m.trials.size());
  const auto defined = static_cast<std::size_t>(
      std::count_if(m.trials.begin(), m.trials.end(), [](const auto& t) { return t.of("narea").has_value(); }));
  out.left_out = m.trials.size() - defined;
  const double drawn = defined == 0 ? n : static_cast<double>(defined);
  for (std::size_t k = 0; !m.trials.empty() && k < m.trials[0].metrics.size(); ++k) {
    metric_estimate e;
    e.name = m.trials[0].metrics[k].first;
    std::vector<double> values;
    double sum = 0;
    for (const auto& trial : m.trials) {
      const metric& value = trial.of(e.name);
      if (!value) continue;
      values.push_back(*value);
      sum += *value;
    }
    e.defined = values.size();
    e.reached = static_cast<double>(values.size()) / drawn;
    if (!values.empty()) {
      e.mean = sum / static_cast<double>(values.size());
      e.interval = corrected_resampled_t(values, result.rho);
    }
    out.metrics.push_back(std::move(e));
  }
  predictor_quality quality;
  double auc = 0, with_auc = 0, with_prediction = 0;
  for (const auto& trial : m.trials) {
    out.collapse += trial.collapse / n;
    out.coverage = std::min(out.coverage, trial.coverage);
    const bool has_area = trial.of("narea").has_value();
    for (std::size_t g = 0; (has_area || defined == 0) && g < curve_grid; ++g) {
      out.curve[g] += trial.curve[g] / drawn;
      out.cost[g] += trial.cost[g] / drawn;
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
    for (std::size_t w = 0; w < trial.weights.size(); ++w) {
      if (w == out.weights.size()) out.weights.emplace_back(trial.weights[w].first, 0.0);
      out.weights[w].second += trial.weights[w].second / n;
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
  if (with_prediction > 0) {
    quality.brier /= with_prediction;
    quality.log_loss /= with_prediction;
    quality.calibration_error /= with_prediction;
    if (with_auc > 0) quality.auc = auc / with_auc;
    out.prediction = quality;
  }
  for (std::size_t g = 0; g < curve_grid; ++g) {
    std::vector<double> values;
    for (const auto& trial : m.trials) {
      if (trial.of("narea") || defined == 0) values.push_back(trial.curve[g]);
    }
    if (values.empty()) continue;
    const auto at = corrected_resampled_t(values, result.rho);
    out.curve_low[g] = at.low;
    out.curve_high[g] = at.high;
  }
  const auto gain_over = [&](std::string_view other) -> std::optional<gain_summary> {
    for (const auto& o : result.methods) {
      if (o.name != other) continue;
      std::vector<std::size_t> kept;
      const auto gains = paired_gains(m, o, &kept);
      if (gains.empty()) return std::nullopt;
      std::vector<std::vector<std::string>> pools;
      for (const std::size_t t : kept) pools.push_back(result.pools[t]);
      return gain_summary{corrected_resampled_t(gains, result.rho), sign_test(gains),
                          result.static_pool ? std::nullopt : std::optional(cluster_bootstrap(gains, pools))};
    }
    return std::nullopt;
  };
  out.gain_over_zero = gain_over("zero_router");
  out.gain_over_knn = gain_over("knn");
  return out;
}

/// All methods summarised: references first, upper bounds last, routers between them; each kind as it was run.
inline std::vector<method_summary> summarise_all(const protocol_result& result) {
  const auto place = [](method_role role) {
    return role == method_role::reference ? 0 : role == method_role::router ? 1 : 2;
  };
  std::vector<method_summary> all;
  for (const auto& m : result.methods) all.push_back(summarise(result, m));
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return place(a.role) < place(b.role); });
  return all;
}

/// A method against another: mean gain of nArea with its corrected interval and p-value, the sign test's, and the gain
/// that the corrected test at .05 would find with probability .8, from the spread of these trials.
struct method_comparison {
  std::string other;
  mean_estimate gain;
  double p_sign = 1, detectable = 0;
};

/// No value where fewer than two trials have a gain. Throws std::invalid_argument for an unknown name.
inline std::optional<method_comparison> compare(const protocol_result& result, std::string_view method,
                                                std::string_view other) {
  const auto gains = paired_gains(result.method(method), result.method(other));
  if (gains.size() < 2) return std::nullopt;
  method_comparison out{std::string(other), corrected_resampled_t(gains, result.rho), sign_test(gains), 0};
  // Half of the interval is t(.975) standard errors; power .8 wants another .84 of them.
  const double t = student_t_quantile(0.05, static_cast<double>(gains.size() - 1));
  out.detectable = (out.gain.high - out.gain.low) / 2 * (1 + 0.84 / t);
  return out;
}

/// One LLM over the trials in which it was unseen: where it lies in the pools, relative to their cheapest and dearest
/// LLMs.
struct single_model_summary {
  std::string name;
  double relative_cost = 0, quality = 0;  ///< means over those trials whose LLMs do not all cost the same
  std::size_t trials = 0;                 ///< how many those are
};

/// All LLMs that were unseen in some trial, by name.
inline std::vector<single_model_summary> summarise_singles(const protocol_result& result) {
  std::map<std::string, single_model_summary> by_name;
  for (std::size_t t = 0; t < result.pools.size(); ++t) {
    const auto pool = range_of(result.singles[t]);
    if (pool.is_degenerate()) continue;
    for (std::size_t h = 0; h < result.pools[t].size(); ++h) {
      auto& of = by_name[result.pools[t][h]];
      of.name = result.pools[t][h];
      of.relative_cost += (result.singles[t][h].cost - pool.cheapest_cost) / (pool.dearest_cost - pool.cheapest_cost);
      of.quality += result.singles[t][h].quality;
      ++of.trials;
    }
  }
  std::vector<single_model_summary> out;
  for (auto& [name, of] : by_name) {
    of.relative_cost /= static_cast<double>(of.trials);
    of.quality /= static_cast<double>(of.trials);
    out.push_back(of);
  }
  return out;
}

}  // namespace uniroute
