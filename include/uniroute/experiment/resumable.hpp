#pragma once

// Results of a long job that goes on where it was interrupted.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/experiment/source.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/random.hpp>
#include <uniroute/version.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The file in which a job keeps what it has finished.
inline constexpr auto partial_name = "partial.jsonl";

/// Results of finished tasks in DIR/partial.jsonl, a line each, under a first line that says what they are results of.
class resumable_results {
 public:
  /// Opens the folder, or goes on with what an interrupted run has left there. Throws std::invalid_argument for a
  /// folder of something else, and for what another run (`what` differs) has left.
  resumable_results(std::string job, const std::filesystem::path& dir, const nlohmann::ordered_json& what)
      : job_(std::move(job)) {
    const bool ours = !std::filesystem::exists(dir) || std::filesystem::is_empty(dir) ||
                      std::filesystem::exists(dir / "results.json") || std::filesystem::exists(dir / partial_name);
    detail::require(ours, job_, ": '", dir.string(),
                    "' exists and has no results.json, but must be new, empty or a report (it would be replaced)");
    std::filesystem::create_directories(dir);
    const auto path = dir / partial_name;
    std::ifstream in(path);
    std::string line;
    bool first = true;
    while (std::getline(in, line)) {
      const auto json = nlohmann::ordered_json::parse(line, nullptr, false);
      if (json.is_discarded()) break;  // the line that an interruption cut off
      if (!first) {
        done_[json["key"].get<std::string>()] = json["value"];
        continue;
      }
      detail::require(json == what, job_, ": '", path.string(), "' is of an interrupted run with settings ",
                      json.dump(), ", but must be of one with ", what.dump(),
                      " (take its settings to go on with it, remove it, or choose another --out)");
      first = false;
    }
    in.close();
    // Written again without a broken end.
    out_.open(path, std::ios::trunc);
    out_ << what.dump() << "\n";
    for (const auto& [key, value] : done_) write(key, value);
  }

  /// The result of a task; null if it is not finished.
  const nlohmann::ordered_json* find(const std::string& key) const {
    const auto found = done_.find(key);
    return found == done_.end() ? nullptr : &found->second;
  }
  /// Keeps a result. Throws std::runtime_error if the file cannot be written.
  void add(const std::string& key, nlohmann::ordered_json value) {
    write(key, value);
    done_[key] = std::move(value);
  }
  /// Finished tasks.
  std::size_t size() const { return done_.size(); }

 private:
  void write(const std::string& key, const nlohmann::ordered_json& value) {
    out_ << nlohmann::ordered_json{{"key", key}, {"value", value}}.dump() << std::endl;
    if (!out_) throw std::runtime_error(job_ + ": partial.jsonl cannot be written");
  }

  std::string job_;
  std::map<std::string, nlohmann::ordered_json> done_;
  std::ofstream out_;
};

namespace detail {

/// A number as JSON reads it back, bit for bit; JSON has no NaN and no infinity.
inline nlohmann::ordered_json exact_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
inline double exact_number(const nlohmann::ordered_json& json) {
  if (json.is_number()) return json.get<double>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  return json == "inf" ? infinity : -infinity;
}
inline nlohmann::ordered_json metric_json(const metric& value) {
  return value ? exact_json(*value) : nlohmann::ordered_json(nullptr);
}
inline metric metric_of(const nlohmann::ordered_json& json) {
  return json.is_null() ? std::nullopt : metric(exact_number(json));
}

inline nlohmann::ordered_json score_json(const trial_score& s) {
  nlohmann::ordered_json out{{"metrics", nlohmann::ordered_json::array()},
                             {"collapse", exact_json(s.collapse)},
                             {"coverage", exact_json(s.coverage)},
                             {"chosen", s.chosen},
                             {"weights", nlohmann::ordered_json::array()}};
  for (const auto& [name, value] : s.metrics) out["metrics"].push_back({name, metric_json(value)});
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

inline trial_score score_of(const nlohmann::ordered_json& json) {
  trial_score out;
  for (const auto& m : json.at("metrics")) out.metrics.emplace_back(m.at(0).get<std::string>(), metric_of(m.at(1)));
  out.collapse = exact_number(json.at("collapse"));
  out.coverage = exact_number(json.at("coverage"));
  out.chosen = json.at("chosen").get<std::string>();
  for (const auto& w : json.at("weights")) out.weights.emplace_back(w.at(0).get<std::string>(), exact_number(w.at(1)));
  if (json.contains("prediction")) {
    const auto& p = json["prediction"];
    out.prediction = predictor_quality{exact_number(p.at("brier")), exact_number(p.at("log_loss")),
                                       metric_of(p.at("auc")), exact_number(p.at("calibration_error"))};
  }
  for (std::size_t i = 0; i < out.curve.size(); ++i) {
    out.curve[i] = exact_number(json.at("curve").at(i));
    out.cost[i] = exact_number(json.at("cost").at(i));
  }
  return out;
}

/// The result of one trial.
inline nlohmann::ordered_json trial_json(const protocol_result& r) {
  nlohmann::ordered_json out{
      {"pool", r.pools.at(0)}, {"unseen", r.unseen},   {"train", r.train},         {"validation", r.validation},
      {"test", r.test},        {"dropped", r.dropped}, {"rho", exact_json(r.rho)}, {"static_pool", r.static_pool}};
  for (const auto& p : r.singles.at(0))
    out["singles"].push_back({exact_json(p.cost), exact_json(p.quality), exact_json(p.coverage)});
  for (const auto& m : r.methods) out["methods"].push_back({m.name, score_json(m.trials.at(0))});
  return out;
}

/// Puts a trial behind those that `out`, which has the methods, has.
inline void append_trial(protocol_result& out, const nlohmann::ordered_json& json) {
  if (out.pools.empty()) {
    out.unseen = json.at("unseen").get<std::size_t>();
    out.train = json.at("train").get<std::size_t>();
    out.validation = json.at("validation").get<std::size_t>();
    out.test = json.at("test").get<std::size_t>();
    out.rho = exact_number(json.at("rho"));
    out.static_pool = json.at("static_pool").get<bool>();
  }
  out.pools.push_back(json.at("pool").get<std::vector<std::string>>());
  out.singles.emplace_back();
  for (const auto& p : json.at("singles"))
    out.singles.back().push_back({0, exact_number(p.at(0)), exact_number(p.at(1)), exact_number(p.at(2))});
  out.dropped += json.at("dropped").get<std::size_t>();
  for (std::size_t i = 0; i < out.methods.size(); ++i)
    out.methods[i].trials.push_back(score_of(json.at("methods").at(i).at(1)));
}

}  // namespace detail

/// work(i) for each i below `count` that is not finished yet, on several threads, each result kept as KEY/i.
/// `on_done(done, all)` is called under a lock. Throws what `work` throws; what was finished stays.
template <class Work, class OnDone>
void keep_going(resumable_results& kept, const std::string& key, std::size_t count, std::size_t threads,
                const Work& work, const OnDone& on_done) {
  const auto name = [&](std::size_t i) { return key + "/" + std::to_string(i); };
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < count; ++i) {
    if (kept.find(name(i)) == nullptr) left.push_back(i);
  }
  std::size_t done = count - left.size();
  if (done != 0) std::fprintf(stderr, "%zu of %zu trials are done already\n", done, count);
  std::mutex guard;
  detail::parallel_for(left.size(), threads, [&](std::size_t i, std::size_t) {
    nlohmann::ordered_json result = work(left[i]);
    const std::lock_guard lock(guard);
    kept.add(name(left[i]), std::move(result));
    on_done(++done, count);
  });
}

/// run_protocol, each trial kept as KEY/trial: what an interrupted run, or one of which a method threw, has finished is
/// not run again. The result is read from what is kept, so that it is the same whether the job was interrupted or not.
/// Throws what `run_protocol` throws.
inline protocol_result run_resumable(resumable_results& kept, const std::string& key, const experiment_source& from,
                                     std::span<const routing_method> methods, const protocol_options& how,
                                     const loss_matrix& expected = make_matrix<double>(0, 0)) {
  const auto work = [&](std::size_t trial) {
    auto one = how;
    one.first_trial = how.first_trial + trial;
    one.trials = one.threads = 1;
    one.on_trial = nullptr;
    return detail::trial_json(run_protocol(from.table, from.embed, methods, one, expected));
  };
  keep_going(kept, key, how.trials, how.threads, work, [&](std::size_t done, std::size_t all) {
    if (how.on_trial) how.on_trial(done, all);
  });
  protocol_result out = detail::empty_result(methods, how, expected.size() != 0);
  for (std::size_t t = 0; t < how.trials; ++t) detail::append_trial(out, *kept.find(key + "/" + std::to_string(t)));
  return out;
}

/// What kept trials depend on: other settings, other methods or metrics by name, another table or another version must
/// not go on with them. A method that was changed and kept its name is not noticed: choose another `out`.
inline nlohmann::ordered_json settings_json(const std::string& job, const experiment_settings& s,
                                            const experiment_source& from) {
  const auto& t = from.table;
  std::uint64_t hash = hash_bytes(t.losses().data(), t.losses().size() * sizeof(double));
  hash = derive_seed(hash, hash_bytes(t.costs().data(), t.costs().size() * sizeof(double)));
  if (t.has_embeddings())
    hash = derive_seed(hash, hash_bytes(t.embeddings().data(), t.embeddings().size() * sizeof(float)));
  for (const auto& id : t.ids()) hash = derive_seed(hash, hash_text(id));
  if (t.has_prompts())
    for (const auto& prompt : t.prompts()) hash = derive_seed(hash, hash_text(prompt));
  return {{"report", job},
          {"version", UNIROUTE_VERSION_STRING},
          {"table", t.name()},
          {"hash", detail::hexadecimal(hash)},
          {"encoder", from.encoder},
          {"model", s.model.model},
          {"trials", s.trials},
          {"validation", s.validation},
          {"seed", s.seed},
          {"together", s.together},
          {"static_pool", s.static_pool}};
}

/// What stands between a report that is there, or what an interrupted run has left, and the new one: the marker for
/// `staged_directory`.
inline const char* marker_of(const std::filesystem::path& dir) {
  return std::filesystem::exists(dir / "results.json") ? "results.json" : partial_name;
}

}  // namespace uniroute
