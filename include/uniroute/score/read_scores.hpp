#pragma once

// Scores and samples of a routing table's folder (docs/data.md).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/score/recorded_scores.hpp>
#include <uniroute/score/uncertainty.hpp>
#include <utility>

namespace uniroute {

/// scores_NAME.csv of a folder: header `id,model…`, a number for each answer, an empty cell where there is none.
/// Prompts and LLMs must be the table's; rows and columns may be absent. Throws format_error, with file, line and
/// column.
template <class Loss>
recorded_scores read_scores(const std::filesystem::path& dir, const std::string& name,
                            const basic_routing_table<Loss>& table) {
  const detail::csv_file file(dir / ("scores_" + name + ".csv"));
  const auto key = file.find("id");
  if (!key) file.fail(file.header()[0], "the header has no 'id', but must have it");
  const std::set<std::string_view> ids(table.ids().begin(), table.ids().end());
  std::set<std::string_view> models, seen_models, seen_ids;
  for (const auto& model : table.models()) models.insert(model.name);
  for (std::size_t j = 0; j < file.header().size(); ++j) {
    if (j == *key) continue;
    const auto& cell = file.header()[j];
    if (!models.contains(cell.text)) file.fail(cell, detail::text("model '", cell.text, "' is not in the table"));
    if (!seen_models.insert(cell.text).second)
      file.fail(cell, detail::text("model '", cell.text, "' occurs twice, but must be distinct"));
  }
  recorded_scores out;
  for (std::size_t r = 0; r < file.size(); ++r) {
    const auto& cells = file[r];
    const auto& id = cells[*key];
    if (!ids.contains(id.text)) file.fail(id, detail::text("id '", id.text, "' is not in the table"));
    if (!seen_ids.insert(id.text).second)
      file.fail(id, detail::text("id '", id.text, "' occurs twice, but must be distinct"));
    for (std::size_t j = 0; j < cells.size(); ++j) {
      if (j == *key || cells[j].text.empty()) continue;
      out.set(id.text, file.header()[j].text, file.number(cells[j], "score"));
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
