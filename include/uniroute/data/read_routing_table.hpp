#pragma once

// A routing table from a directory (docs/data.md has the format).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/derive_costs.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/data/npy.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Which of the files of a folder `read_routing_table` reads, and what it takes for costs.
struct read_options {
  using cost_source = uniroute::cost_source;  ///< what costs are taken from

  std::string variant = {};  ///< "union" reads outcomes_union.csv, models_union.csv and so on; "" the files without
  cost_source costs = cost_source::table;
};

namespace detail {

class table_reader {
 public:
  table_reader(const std::filesystem::path& dir, const read_options& options)
      : dir_(dir), variant_(options.variant), costs_(options.costs) {
    if (!std::filesystem::is_directory(dir)) throw format_error(dir.string(), 0, 0, "is no directory, but must be one");
    const auto whole = std::filesystem::weakly_canonical(dir);
    parts_.name = as_utf8((whole.has_filename() ? whole : whole.parent_path()).filename().string());
    if (!variant_.empty()) {
      parts_.name += " (" + variant_ + ")";
      if (!std::filesystem::exists(name("outcomes", ".csv")))
        throw format_error(name("outcomes", ".csv").string(), 0, 0,
                           "is missing, but variant '" + variant_ + "' needs it");
    }
  }

  routing_table_parts read() {
    read_prompts();
    read_models();
    parts_.losses = read_cells(
        "outcomes", [](double quality) { return quality >= 0 && quality <= 1; }, "outcome", "in [0, 1]");
    if (exists("outcome_counts")) {
      parts_.counts = read_cells(
          "outcome_counts", [](double runs) { return runs >= 1 && runs == std::floor(runs); }, "count",
          "a whole number of at least 1");
    }
    read_costs();
    if (const auto path = dir_ / "embeddings.npy"; std::filesystem::exists(path)) {
      parts_.embeddings = read_npy_matrix<float>(path);
      if (rows(parts_.embeddings) != parts_.ids.size())
        throw format_error(
            path.string(), 0, 0,
            text("has ", rows(parts_.embeddings), " rows, but prompts.jsonl has ", parts_.ids.size(), " prompts"));
      for (std::size_t i = 0; i < parts_.embeddings.size(); ++i) {
        if (!std::isfinite(parts_.embeddings.data()[i]))
          throw format_error(path.string(), 0, 0,
                             text("row ", i / columns(parts_.embeddings), " has a value that is not finite"));
      }
    }
    return std::move(parts_);
  }

 private:
  std::filesystem::path name(std::string_view stem, std::string_view extension) const {
    const std::string end = std::string(extension);
    if (!variant_.empty()) {
      auto special = dir_ / (std::string(stem) + "_" + variant_ + end);
      if (std::filesystem::exists(special) || stem == "outcomes") return special;
    }
    return dir_ / (std::string(stem) + end);
  }
  bool exists(std::string_view stem) const { return std::filesystem::exists(name(stem, ".csv")); }

  void read_prompts() {
    const auto path = dir_ / "prompts.jsonl";
    const std::string bytes = read_file(path);
    bool any_prompt = false, any_category = false;
    std::string instead;  // what a prompt may have been called
    std::size_t line = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      ++line;
      const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
      const std::string_view content(bytes.data() + at, end - at);
      at = end + 1;
      if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      nlohmann::json object;
      try {
        object = parse_json(content);
      } catch (const nlohmann::json::parse_error& error) {
        throw format_error(path.string(), line, error.byte, "is not valid JSON, but must be one object a line");
      }
      const auto field = [&](const char* key) -> std::optional<std::string> {
        if (!object.is_object() || !object.contains(key) || object[key].is_null()) return std::nullopt;
        if (object[key].is_number_integer()) return object[key].dump();
        if (!object[key].is_string()) throw format_error(path.string(), line, 1, text("'", key, "' must be a text"));
        return object[key].get<std::string>();
      };
      for (const char* other : {"text", "question", "query", "input", "instruction"}) {
        if (instead.empty() && object.is_object() && object.contains(other)) instead = other;
      }
      const auto id = field("id");
      if (!id) throw format_error(path.string(), line, 1, "has no 'id', but every line must be an object with one");
      const auto [known, fresh] = index_.try_emplace(*id, parts_.ids.size());
      if (!fresh) throw format_error(path.string(), line, 1, text("id '", *id, "' occurs twice, but must be distinct"));
      parts_.ids.push_back(*id);
      const auto prompt = field("prompt"), category = field("category");
      any_prompt |= prompt.has_value();
      any_category |= category.has_value();
      if (any_prompt && (!prompt || parts_.prompts.size() + 1 != parts_.ids.size()))
        throw format_error(path.string(), line, 1, "only some lines have a 'prompt', but all or none must");
      if (prompt) parts_.prompts.push_back(*prompt);
      parts_.categories.push_back(category.value_or(""));
    }
    if (parts_.ids.empty()) throw format_error(path.string(), 1, 1, "has no prompts, but must have at least 1");
    if (!any_category) parts_.categories.clear();
    if (!any_prompt && !instead.empty() && !std::filesystem::exists(dir_ / "embeddings.npy"))
      throw format_error(path.string(), 1, 1,
                         text("has '", instead, "' and no 'prompt', but a prompt's text must be called 'prompt'"));
  }

  void read_models() {
    const csv_file file(name("models", ".csv"));
    std::set<std::string_view> titles;
    for (const csv_cell& title : file.header()) {
      if (!titles.insert(title.text).second)
        file.fail(title, text("column '", title.text, "' occurs twice, but must be distinct"));
    }
    const auto key = file.find("model");
    if (!key) file.fail(file.header()[0], "the header has no 'model', but must have it");
    for (std::size_t i = 0; i < file.size(); ++i) {
      const auto& cells = file[i];
      model_info model;
      model.name = cells[*key].text;
      if (model.name.empty()) file.fail(cells[*key], "the model's name is empty, but must not be");
      if (!models_.try_emplace(model.name, parts_.models.size()).second)
        file.fail(cells[*key], text("model '", model.name, "' occurs twice, but must be distinct"));
      for (std::size_t j = 0; j < cells.size(); ++j) {
        const std::string& title = file.header()[j].text;
        std::optional<double>* number = title == "cost"                 ? &model.cost
                                        : title == "price_in_per_mtok"  ? &model.price_in_per_mtok
                                        : title == "price_out_per_mtok" ? &model.price_out_per_mtok
                                        : title == "params_b"           ? &model.params_b
                                                                        : nullptr;
        if (j == *key) continue;
        if (number == nullptr) {
          model.others[title] = cells[j].text;
        } else if (!cells[j].text.empty()) {
          *number = file.number(cells[j], title);
          if (**number < 0) file.fail(cells[j], text(title, " is ", cells[j].text, ", but must be at least 0"));
        }
      }
      parts_.models.push_back(std::move(model));
    }
    if (parts_.models.empty()) throw format_error(file.path(), 2, 1, "has no models, but must have at least 1");
  }

  /// A prompts x models matrix from `stem`.csv; missing where a cell is empty or a row or column is absent (only
  /// outcomes.csv, which becomes losses, must have them all).
  template <class Valid>
  matrix<double> read_cells(std::string_view stem, Valid valid, std::string_view what, std::string_view rule) {
    const csv_file file(name(stem, ".csv"));
    const bool whole = stem == "outcomes";
    const auto key = file.find("id");
    if (!key) file.fail(file.header()[0], "the header has no 'id', but must have it");
    std::vector<std::size_t> to(file.header().size());
    std::vector<char> seen_model(parts_.models.size(), 0);
    for (std::size_t j = 0; j < to.size(); ++j) {
      if (j == *key) continue;
      const csv_cell& cell = file.header()[j];
      const auto found = models_.find(cell.text);
      if (found == models_.end())
        file.fail(cell, text("model '", cell.text, "' is not in ", name("models", ".csv").filename().string()));
      if (seen_model[found->second]++)
        file.fail(cell, text("model '", cell.text, "' occurs twice, but must be distinct"));
      to[j] = found->second;
    }
    std::string absent;
    for (std::size_t h = 0; !whole && h < seen_model.size(); ++h) {
      if (!seen_model[h]) absent += (absent.empty() ? "" : ", ") + parts_.models[h].name;
    }
    if (!absent.empty())
      parts_.notes.push_back(name(stem, ".csv").filename().string() + " has no column for " + absent + ".");
    if (whole) {
      for (std::size_t h = 0; h < seen_model.size(); ++h) {
        if (!seen_model[h])
          file.fail(file.header()[0], text("the header has no model '", parts_.models[h].name, "', but must have all"));
      }
    }
    // Too few rows are refused below, by the first id without one; until then no room for all is needed.
    const bool short_of_rows = whole && file.size() < parts_.ids.size();
    auto out = make_matrix<double>(short_of_rows ? 0 : parts_.ids.size(), parts_.models.size(), missing);
    std::vector<char> seen(parts_.ids.size(), 0);
    for (std::size_t r = 0; r < file.size(); ++r) {
      const auto& cells = file[r];
      const auto found = index_.find(cells[*key].text);
      if (found == index_.end()) file.fail(cells[*key], text("id '", cells[*key].text, "' is not in prompts.jsonl"));
      if (seen[found->second]++)
        file.fail(cells[*key], text("id '", cells[*key].text, "' occurs twice, but must be distinct"));
      for (std::size_t j = 0; j < cells.size(); ++j) {
        if (j == *key || cells[j].text.empty()) continue;
        const double value = file.number(cells[j], what);
        if (!valid(value)) file.fail(cells[j], text(what, " is ", cells[j].text, ", but must be ", rule));
        if (!short_of_rows) out(found->second, to[j]) = whole ? loss_of(cells[j].text, value) : value;
      }
    }
    for (std::size_t i = 0; whole && i < seen.size(); ++i) {
      if (!seen[i])
        throw format_error(file.path(), file.size() + 1, 1,
                           text("has no row for id '", parts_.ids[i], "', but must have all"));
    }
    return out;
  }

  /// Takes out the models whose cost nothing gives.
  void keep_models(const std::vector<std::size_t>& kept, const std::string& left_out) {
    if (kept.size() == parts_.models.size()) return;
    std::vector<std::size_t> all(parts_.ids.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    parts_.notes.push_back("Left out, because nothing gives their cost: " + left_out + ".");
    parts_.losses = take(parts_.losses, all, kept);
    parts_.costs = take(parts_.costs, all, kept);
    if (parts_.counts.size() != 0) parts_.counts = take(parts_.counts, all, kept);
    std::vector<model_info> models;
    for (const std::size_t h : kept) models.push_back(std::move(parts_.models[h]));
    parts_.models = std::move(models);
  }

  /// A column of models.csv that may have been meant for a cost, and what it must be called; empty if there is none.
  std::string mistaken_title() const {
    for (const auto& model : parts_.models) {
      for (const auto& [title, value] : model.others) {
        if (title.find("price") == std::string::npos && title.find("cost") == std::string::npos &&
            title.find("params") == std::string::npos)
          continue;
        const bool params = title.find("params") != std::string::npos, out = title.find("out") != std::string::npos;
        return text("; column '", title, "' is not read: prices are called price_in_per_mtok and price_out_per_mtok",
                    params ? ", parameters params_b"
                    : out  ? ""
                           : ", a cost of one prompt cost");
      }
    }
    return "";
  }

  void read_costs() {
    const auto cells = [&](std::string_view stem, std::string_view what) {
      return exists(stem) ? read_cells(
                                stem, [](double value) { return value >= 0; }, what, "at least 0")
                          : make_matrix<double>(parts_.ids.size(), parts_.models.size(), missing);
    };
    cost_records known;
    if (costs_ == cost_source::table) {
      known = {cells("costs", "cost"), cells("tokens_in", "token count"), cells("tokens_out", "token count"),
               cells("output_chars", "character count")};
    }
    auto derived = derive_costs(costs_, parts_.ids.size(), parts_.models, parts_.prompts, std::move(known));
    if (costs_ == cost_source::table && exists("costs"))
      parts_.notes.push_back("Costs: per prompt and model, from " + name("costs", ".csv").filename().string() + ".");
    for (auto& note : derived.notes) parts_.notes.push_back(std::move(note));
    if (derived.kept.empty()) {
      const std::string what =
          costs_ == cost_source::params
              ? "no model has 'params_b', but some must where costs are to be parameters"
              : "no model has a cost: costs.csv, a column 'cost' or prices must give it (or read it "
                "with parameters or 1 for costs: --cost params, --cost 1)" +
                    mistaken_title();
      throw format_error(name("models", ".csv").string(), 1, 1, what);
    }
    parts_.costs = std::move(derived.costs);
    keep_models(derived.kept, derived.left_out);
  }

  std::filesystem::path dir_;
  std::string variant_;
  read_options::cost_source costs_;
  routing_table_parts parts_;
  std::map<std::string, std::size_t> index_, models_;
};

}  // namespace detail

/// Reads prompts.jsonl, models.csv, outcomes.csv and, if there, costs.csv, tokens_in.csv, tokens_out.csv,
/// output_chars.csv, outcome_counts.csv and embeddings.npy. Rows may stand in any order. A loss is the double nearest
/// to 1 − the decimal number in the cell; an empty cell is missing. A model's costs come from costs.csv, else from its
/// `cost`, else from its two prices times tokens (characters / 4 where they are not counted; an answer of unknown
/// length counts as long as its prompt); where one is missing they take the model's mean; a model without any is left
/// out. `notes()` say which it was. An empty count is `missing`. Throws format_error, with file, line and column, for
/// anything that is not so.
inline routing_table read_routing_table(const std::filesystem::path& dir, const read_options& options = {}) {
  return routing_table(detail::table_reader(dir, options).read());
}

}  // namespace uniroute
