#pragma once

// Means, intervals and tests of a method over the trials of an experiment.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/evaluate/protocol.hpp>
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
  std::vector<std::pair<std::string, double>> weights;        ///< of the methods that it mixes, means over trials
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
