#pragma once

// What an experiment found, as JSON and as CSV.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/curve_convention.hpp>
#include <uniroute/experiment/close_look.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/source.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/stats/paired_tests.hpp>
#include <vector>

namespace uniroute {

/// Mean and interval; null where there is none.
inline nlohmann::ordered_json estimate_json(const std::optional<mean_estimate>& e) {
  if (!e) return nullptr;
  return {{"mean", e->mean}, {"low", e->low}, {"high", e->high}};
}

/// With the p-value of "the mean is zero".
inline nlohmann::ordered_json tested_json(const mean_estimate& e) {
  return {{"mean", e.mean}, {"low", e.low}, {"high", e.high}, {"p_corrected_t", e.p_value}};
}

/// A gain with its tests; null where there is none.
inline nlohmann::ordered_json gain_json(const std::optional<gain_summary>& g) {
  using nlohmann::ordered_json;
  if (!g) return nullptr;
  return {{"mean", g->mean.mean},
          {"low", g->mean.low},
          {"high", g->mean.high},
          {"p_corrected_t", g->mean.p_value},
          {"p_sign", g->p_sign},
          {"low_over_models", g->over_models ? ordered_json(g->over_models->low) : ordered_json(nullptr)},
          {"high_over_models", g->over_models ? ordered_json(g->over_models->high) : ordered_json(nullptr)}};
}

/// A metric: mean and interval, or mean and the share of trials that reached it.
inline nlohmann::ordered_json metric_json(const metric_estimate& e, metric_summary how) {
  if (how == metric_summary::interval) return estimate_json(e.interval);
  return {{"mean", e.mean ? nlohmann::ordered_json(*e.mean) : nlohmann::ordered_json(nullptr)}, {"reached", e.reached}};
}

/// The table in a line.
inline nlohmann::ordered_json table_json(const routing_table& table) {
  return {{"name", table.name()},
          {"prompts", table.size()},
          {"models", table.model_count()},
          {"missing", table.missing_share()}};
}

/// The convention of area and narea.
inline nlohmann::ordered_json convention_json() {
  const curve_convention c = default_convention;
  return {{"anchor", curve_anchor_name},
          {"interpolation", name_of(c.interpolation)},
          {"envelope", name_of(c.envelope)},
          {"normaliser", name_of(c.normaliser)}};
}

/// What the protocol was.
inline nlohmann::ordered_json protocol_json(const protocol_result& result, const experiment_settings& s,
                                            const std::string& encoder) {
  return {{"trials", s.trials},
          {"seed", s.seed},
          {"validation", result.validation},
          {"unseen", result.unseen},
          {"train", result.train},
          {"test", result.test},
          {"encoder", encoder},
          {"together", s.together},
          {"static_pool", result.static_pool},
          {"rho", result.rho},
          {"models_left_out_of_trials", result.dropped}};
}

/// One method. `metrics`: `standard_metrics` and those of the experiment.
inline nlohmann::ordered_json method_json(const method_summary& m, const std::vector<named_metric>& metrics) {
  using nlohmann::ordered_json;
  ordered_json j;
  j["name"] = m.name;
  j["role"] = name_of(m.role);
  if (!m.about.empty()) j["about"] = m.about;
  for (const auto& [name, value] : m.parameters) j[name] = value;
  for (const auto how : {metric_summary::interval, metric_summary::when_reached}) {
    for (const auto& row : metrics) {
      if (row.summary == how) j[row.name] = metric_json(m.of(row.name), how);
    }
  }
  j["gain_over_zero"] = gain_json(m.gain_over_zero);
  j["gain_over_knn"] = gain_json(m.gain_over_knn);
  j["coverage"] = m.coverage;
  j["trials_left_out"] = m.left_out;
  j["trials_defined"] = m.trials - m.left_out;
  if (m.prediction) {
    j["prediction"] = {{"brier", m.prediction->brier},
                       {"log_loss", m.prediction->log_loss},
                       {"auc", m.prediction->auc ? ordered_json(*m.prediction->auc) : ordered_json(nullptr)},
                       {"calibration_error", m.prediction->calibration_error}};
    j["collapse"] = m.collapse;
  }
  for (const auto& [name, weight] : m.weights) j["weights"][name] = weight;
  for (const auto& [name, times] : m.chosen) j["chosen"][name] = times;
  j["curve"] = ordered_json::array();
  for (std::size_t g = 0; g < curve_grid; ++g)
    j["curve"].push_back({static_cast<double>(g) / static_cast<double>(curve_grid - 1), m.curve[g]});
  return j;
}

/// Every LLM of the table: mean cost and quality over its observed outcomes.
inline nlohmann::ordered_json models_json(const routing_table& table) {
  auto out = nlohmann::ordered_json::array();
  const auto costs = column_means(table.costs());
  for (std::size_t h = 0; h < table.model_count(); ++h) {
    const double loss = column_mean(table.losses(), h, missing);
    out.push_back({{"name", table.models()[h].name},
                   {"cost", costs(0, h)},
                   {"quality", is_missing(loss) ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(1 - loss)}});
  }
  return out;
}

/// What `close_look` drew: profiles (quality by cell and LLM) and shares of prompts along the curve.
inline void add_close_look(nlohmann::ordered_json& out, const close_look& look) {
  using nlohmann::ordered_json;
  const auto rows_of = [](const matrix<double>& values) {
    auto all = ordered_json::array();
    for (std::size_t i = 0; i < rows(values); ++i) {
      auto line = ordered_json::array();
      for (const double v : row(values, i)) line.push_back(is_missing(v) ? ordered_json(nullptr) : ordered_json(v));
      all.push_back(std::move(line));
    }
    return all;
  };
  out["profiles"] = {
      {"method", look.method}, {"cells", look.cells}, {"models", look.models}, {"quality", rows_of(look.quality)}};
  out["shares"] = {
      {"method", look.method}, {"cost", look.cost}, {"models", look.models}, {"share", rows_of(look.shares)}};
}

/// Everything, in the order of results.json.
inline nlohmann::ordered_json results_json(const experiment_source& from, const experiment_settings& s,
                                           const protocol_result& result, const std::vector<method_summary>& all,
                                           const std::vector<named_metric>& metrics) {
  nlohmann::ordered_json out;
  out["table"] = table_json(from.table);
  out["protocol"] = protocol_json(result, s, from.encoder);
  out["convention"] = convention_json();
  out["methods"] = nlohmann::ordered_json::array();
  for (const auto& m : all) out["methods"].push_back(method_json(m, metrics));
  out["models"] = models_json(from.table);
  return out;
}

/// trial,method,metric,value; no value where a metric is undefined.
inline std::string trials_csv(const protocol_result& result) {
  std::string out = "trial,method,metric,value\n";
  for (const auto& m : result.methods) {
    for (std::size_t t = 0; t < m.trials.size(); ++t) {
      for (const auto& [name, value] : m.trials[t].metrics)
        out += detail::text(t, ",", detail::csv_text(m.name), ",", detail::csv_text(name), ",",
                            value ? detail::shortest_digits(*value) : "", "\n");
    }
  }
  return out;
}

}  // namespace uniroute
