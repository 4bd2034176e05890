#pragma once

// The protocol of a long job, trial by trial: what an interrupted run has finished is not run again.

#include <cmath>
#include <cstdio>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "experiment.hpp"
#include "resumable.hpp"

namespace experiment {

/// A number as JSON reads it back, bit for bit; JSON has no NaN and no infinity.
inline ordered_json exact_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
inline double exact_number(const ordered_json& json) {
  if (json.is_number()) return json.get<double>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  return json == "inf" ? infinity : -infinity;
}
inline ordered_json metric_json(const ur::metric& value) { return value ? exact_json(*value) : ordered_json(nullptr); }
inline ur::metric metric_of(const ordered_json& json) {
  return json.is_null() ? std::nullopt : ur::metric(exact_number(json));
}

inline ordered_json score_json(const ur::trial_score& s) {
  ordered_json out{{"area", metric_json(s.area)},
                   {"narea", metric_json(s.narea)},
                   {"narea_prototype", metric_json(s.narea_prototype)},
                   {"qnc", metric_json(s.qnc)},
                   {"aiq", metric_json(s.aiq)},
                   {"peak", exact_json(s.peak)},
                   {"collapse", exact_json(s.collapse)},
                   {"coverage", exact_json(s.coverage)},
                   {"chosen", s.chosen},
                   {"weights", ordered_json::array()}};
  for (const auto& [name, weight] : s.weights) out["weights"].push_back({name, exact_json(weight)});
  if (s.prediction) {
    out["prediction"] = {{"brier", exact_json(s.prediction->brier)},
                         {"log_loss", exact_json(s.prediction->log_loss)},
                         {"auc", metric_json(s.prediction->auc)},
                         {"calibration_error", exact_json(s.prediction->calibration_error)}};
  }
  for (const double v : s.curve) out["curve"].push_back(exact_json(v));
  for (const double v : s.cost) out["cost"].push_back(exact_json(v));
  return out;
}

inline ur::trial_score score_of(const ordered_json& json) {
  ur::trial_score out;
  out.area = metric_of(json.at("area"));
  out.narea = metric_of(json.at("narea"));
  out.narea_prototype = metric_of(json.at("narea_prototype"));
  out.qnc = metric_of(json.at("qnc"));
  out.aiq = metric_of(json.at("aiq"));
  out.peak = exact_number(json.at("peak"));
  out.collapse = exact_number(json.at("collapse"));
  out.coverage = exact_number(json.at("coverage"));
  out.chosen = json.at("chosen").get<std::string>();
  for (const auto& w : json.at("weights")) out.weights.emplace_back(w.at(0).get<std::string>(), exact_number(w.at(1)));
  if (json.contains("prediction")) {
    const auto& p = json["prediction"];
    out.prediction = ur::predictor_quality{exact_number(p.at("brier")), exact_number(p.at("log_loss")),
                                           metric_of(p.at("auc")), exact_number(p.at("calibration_error"))};
  }
  for (std::size_t i = 0; i < out.curve.size(); ++i) {
    out.curve[i] = exact_number(json.at("curve").at(i));
    out.cost[i] = exact_number(json.at("cost").at(i));
  }
  return out;
}

/// A result of one trial.
inline ordered_json trial_json(const ur::protocol_result& r) {
  ordered_json out{
      {"pool", r.pools.at(0)}, {"unseen", r.unseen},   {"train", r.train},         {"validation", r.validation},
      {"test", r.test},        {"dropped", r.dropped}, {"rho", exact_json(r.rho)}, {"static_pool", r.static_pool}};
  for (const auto& m : r.methods) out["methods"].push_back({m.name, score_json(m.trials.at(0))});
  return out;
}

/// Puts a trial behind those that `out` has.
inline void append_trial(ur::protocol_result& out, const ordered_json& json) {
  if (out.pools.empty()) {
    out.unseen = json.at("unseen").get<std::size_t>();
    out.train = json.at("train").get<std::size_t>();
    out.validation = json.at("validation").get<std::size_t>();
    out.test = json.at("test").get<std::size_t>();
    out.rho = exact_number(json.at("rho"));
    out.static_pool = json.at("static_pool").get<bool>();
    for (const auto& m : json.at("methods")) out.methods.push_back({m.at(0).get<std::string>(), {}});
  }
  out.pools.push_back(json.at("pool").get<std::vector<std::string>>());
  out.dropped += json.at("dropped").get<std::size_t>();
  for (std::size_t i = 0; i < out.methods.size(); ++i)
    out.methods[i].trials.push_back(score_of(json.at("methods").at(i).at(1)));
}

/// run_protocol, each trial kept as KEY/trial. The result is read from what is kept, so that it is the same whether the
/// job was interrupted or not.
inline ur::protocol_result run_resumable(resumable_results& kept, const std::string& key, const source& from,
                                         std::span<const ur::routing_method> methods, const ur::protocol_options& how,
                                         const ur::loss_matrix& expected = ur::make_matrix<double>(0, 0)) {
  const auto name = [&](std::size_t trial) { return key + "/" + std::to_string(trial); };
  std::vector<std::size_t> left;
  for (std::size_t t = 0; t < how.trials; ++t) {
    if (kept.find(name(t)) == nullptr) left.push_back(t);
  }
  std::mutex guard;
  std::size_t done = how.trials - left.size();
  if (done != 0) std::fprintf(stderr, "%zu of %zu trials are done already\n", done, how.trials);
  ur::detail::parallel_for(left.size(), how.threads, [&](std::size_t i, std::size_t) {
    auto one = how;
    one.first_trial = how.first_trial + left[i];
    one.trials = one.threads = 1;
    one.on_trial = nullptr;
    const auto result = ur::run_protocol(from.table, from.embed, methods, one, expected);
    const std::lock_guard lock(guard);
    kept.add(name(left[i]), trial_json(result));
    if (how.on_trial) how.on_trial(++done, how.trials);
  });
  ur::protocol_result out;
  for (std::size_t t = 0; t < how.trials; ++t) append_trial(out, *kept.find(name(t)));
  return out;
}

/// What kept trials depend on: other settings, another table or another version must not go on with them.
inline ordered_json settings_json(const std::string& job, const settings& s, const source& from) {
  const auto& t = from.table;
  std::uint64_t hash = ur::hash_bytes(t.losses().data(), t.losses().size() * sizeof(double));
  hash = ur::derive_seed(hash, ur::hash_bytes(t.costs().data(), t.costs().size() * sizeof(double)));
  if (t.has_embeddings())
    hash = ur::derive_seed(hash, ur::hash_bytes(t.embeddings().data(), t.embeddings().size() * sizeof(float)));
  for (const auto& id : t.ids()) hash = ur::derive_seed(hash, ur::hash_text(id));
  if (t.has_prompts())
    for (const auto& prompt : t.prompts()) hash = ur::derive_seed(hash, ur::hash_text(prompt));
  return {{"report", job},           {"version", UNIROUTE_VERSION_STRING},
          {"table", t.name()},       {"hash", hexadecimal(hash)},
          {"encoder", from.encoder}, {"model", s.model.model},
          {"trials", s.trials},      {"validation", s.validation},
          {"seed", s.seed}};
}

/// What stands between a report that is there, or what an interrupted run has left, and the new one.
inline const char* marker_of(const std::filesystem::path& dir) {
  return std::filesystem::exists(dir / "results.json") ? "results.json" : partial_name;
}

}  // namespace experiment
