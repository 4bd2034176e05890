#pragma once

// Scores and samples of a routing table's folder (docs/data.md).

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/score/recorded_scores.hpp>
#include <uniroute/score/uncertainty.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A file of one number for each prompt and LLM of a table (latency.csv, say): header `id,model…`, an empty cell where
/// there is none. n x M, `missing` where there is no number; rows and columns may be absent. Throws format_error, with
/// file, line and column, for prompts and LLMs that the table does not have or that occur twice.
template <class Loss>
matrix<double> read_values(const std::filesystem::path& path, const basic_routing_table<Loss>& table) {
  const detail::csv_file file(path);
  const auto key = file.find("id");
  if (!key) file.fail(file.header()[0], "the header has no 'id', but must have it");
  std::map<std::string_view, std::size_t> ids, models;
  for (std::size_t i = 0; i < table.size(); ++i) ids.emplace(table.ids()[i], i);
  for (std::size_t h = 0; h < table.model_count(); ++h) models.emplace(table.models()[h].name, h);
  std::set<std::size_t> seen_models, seen_ids;
  std::vector<std::size_t> to(file.header().size(), 0);
  for (std::size_t j = 0; j < to.size(); ++j) {
    if (j == *key) continue;
    const auto& cell = file.header()[j];
    const auto found = models.find(cell.text);
    if (found == models.end()) file.fail(cell, detail::text("model '", cell.text, "' is not in the table"));
    if (!seen_models.insert(found->second).second)
      file.fail(cell, detail::text("model '", cell.text, "' occurs twice, but must be distinct"));
    to[j] = found->second;
  }
  auto out = make_matrix<double>(table.size(), table.model_count(), missing);
  for (std::size_t r = 0; r < file.size(); ++r) {
    const auto& cells = file[r];
    const auto& id = cells[*key];
    const auto found = ids.find(id.text);
    if (found == ids.end()) file.fail(id, detail::text("id '", id.text, "' is not in the table"));
    if (!seen_ids.insert(found->second).second)
      file.fail(id, detail::text("id '", id.text, "' occurs twice, but must be distinct"));
    for (std::size_t j = 0; j < cells.size(); ++j) {
      if (j != *key && !cells[j].text.empty()) out(found->second, to[j]) = file.number(cells[j], "value");
    }
  }
  return out;
}

/// scores_NAME.csv of a folder, as `read_values` reads it.
template <class Loss>
recorded_scores read_scores(const std::filesystem::path& dir, const std::string& name,
                            const basic_routing_table<Loss>& table) {
  const auto values = read_values(dir / ("scores_" + name + ".csv"), table);
  recorded_scores out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t h = 0; h < table.model_count(); ++h) {
      if (!is_missing(values(i, h))) out.set(table.ids()[i], table.models()[h].name, values(i, h));
    }
  }
  return out;
}

/// Several answers by prompt id and LLM.
using answer_samples = std::map<std::pair<std::string, std::string>, sampled_answers>;

/// samples.jsonl of a folder: a line per (id, model) with `answers` (texts, numbers or null) and `quality` (as many, in
/// [0, 1]). Prompts and LLMs that the table does not have are left out. Throws format_error, with file and line, for
/// anything that is not so, and for a pair that occurs twice.
template <class Loss>
answer_samples read_samples(const std::filesystem::path& dir, const basic_routing_table<Loss>& table) {
  const auto path = dir / "samples.jsonl";
  const std::string bytes = detail::read_file(path);
  const std::set<std::string_view> ids(table.ids().begin(), table.ids().end());
  std::set<std::string_view> models;
  for (const auto& model : table.models()) models.insert(model.name);
  answer_samples out;
  std::size_t line = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    ++line;
    const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
    const std::string_view content(bytes.data() + at, end - at);
    at = end + 1;
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto fail = [&](std::size_t column, const std::string& what) {
      throw format_error(path.string(), line, column, what);
    };
    nlohmann::json object;
    try {
      object = detail::parse_json(content);
    } catch (const nlohmann::json::parse_error& error) {
      fail(error.byte, "is not valid JSON, but must be one object a line");
    }
    for (const char* key : {"id", "model"}) {
      if (!object.is_object() || !object.contains(key) || !object[key].is_string())
        fail(1, detail::text("has no text '", key, "', but every line must be an object with one"));
    }
    for (const char* key : {"answers", "quality"}) {
      if (!object.contains(key) || !object[key].is_array() || object[key].empty())
        fail(1, detail::text("has no '", key, "', but must have a list of at least one"));
    }
    if (object["answers"].size() != object["quality"].size())
      fail(1, detail::text("has ", object["answers"].size(), " answers and ", object["quality"].size(),
                           " qualities, but must have one for each"));
    sampled_answers cell;
    for (const auto& answer : object["answers"]) {
      if (answer.is_null()) {
        cell.answers.emplace_back();
      } else {
        cell.answers.push_back(answer.is_string() ? answer.get<std::string>() : answer.dump());
      }
    }
    for (const auto& quality : object["quality"]) {
      if (!quality.is_number()) fail(1, "has a quality that is no number, but must be in [0, 1]");
      cell.qualities.push_back(quality.get<double>());
      if (!(cell.qualities.back() >= 0 && cell.qualities.back() <= 1))
        fail(1, detail::text("has a quality of ", cell.qualities.back(), ", but must be in [0, 1]"));
    }
    const auto id = object["id"].get<std::string>(), model = object["model"].get<std::string>();
    if (!ids.contains(id) || !models.contains(model)) continue;
    if (!out.emplace(std::pair(id, model), std::move(cell)).second)
      fail(1, detail::text("'", model, "' on '", id, "' occurs twice, but must be distinct"));
  }
  return out;
}

}  // namespace uniroute
