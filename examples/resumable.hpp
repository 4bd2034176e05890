#pragma once

// Results of a long job that goes on where it was interrupted.

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <uniroute/detail/check.hpp>
#include <utility>

namespace experiment {

namespace ur = uniroute;
using nlohmann::ordered_json;

inline constexpr auto partial_name = "partial.jsonl";

/// Results of finished tasks in DIR/partial.jsonl, a line each, under a first line that says what they are results of.
class resumable_results {
 public:
  resumable_results(std::string job, const std::filesystem::path& dir, const ordered_json& what)
      : job_(std::move(job)) {
    const bool ours = !std::filesystem::exists(dir) || std::filesystem::is_empty(dir) ||
                      std::filesystem::exists(dir / "results.json") || std::filesystem::exists(dir / partial_name);
    ur::detail::require(ours, job_, ": '", dir.string(),
                        "' exists and has no results.json, but must be new, empty or a report (it would be replaced)");
    std::filesystem::create_directories(dir);
    const auto path = dir / partial_name;
    std::ifstream in(path);
    std::string line;
    bool first = true;
    while (std::getline(in, line)) {
      const auto json = ordered_json::parse(line, nullptr, false);
      if (json.is_discarded()) break;  // the line that an interruption cut off
      if (!first) {
        done_[json["key"].get<std::string>()] = json["value"];
        continue;
      }
      ur::detail::require(json == what, job_, ": '", path.string(), "' is of an interrupted run with settings ",
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

  const ordered_json* find(const std::string& key) const {
    const auto found = done_.find(key);
    return found == done_.end() ? nullptr : &found->second;
  }
  void add(const std::string& key, ordered_json value) {
    write(key, value);
    done_[key] = std::move(value);
  }
  std::size_t size() const { return done_.size(); }

 private:
  void write(const std::string& key, const ordered_json& value) {
    out_ << ordered_json{{"key", key}, {"value", value}}.dump() << std::endl;
    if (!out_) throw std::runtime_error(job_ + ": partial.jsonl cannot be written");
  }

  std::string job_;
  std::map<std::string, ordered_json> done_;
  std::ofstream out_;
};

}  // namespace experiment
