#pragma once

// A routing table to a directory that read_routing_table, or any other language, reads.

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/npy.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/data/staged_directory.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>

namespace uniroute {

/// Writes the table. A table that stands in `dir` is replaced, with every file there. All or nothing: the files are
/// written beside `dir`, which is then renamed. Ids, texts, losses, costs, counts and embeddings read back bit for bit:
/// numbers have the shortest digits that do, and an outcome is the decimal number 1 − loss, in full (`loss_of`).
/// Not kept: the table's name, which is that of the directory, and its notes.
/// Throws std::invalid_argument if `dir` is something else than a table, std::domain_error for a text that is not
/// UTF-8, format_error if a file cannot be written.
template <class Loss>
void write_routing_table(const basic_routing_table<Loss>& table, const std::filesystem::path& dir) {
  staged_directory staged("write_routing_table", dir, "outcomes.csv");
  std::string prompts;
  for (std::size_t i = 0; i < table.size(); ++i) {
    try {
      prompts += "{\"id\":" + nlohmann::json(table.ids()[i]).dump();
      if (table.has_prompts()) prompts += ",\"prompt\":" + nlohmann::json(table.prompts()[i]).dump();
      if (!table.categories().empty()) prompts += ",\"category\":" + nlohmann::json(table.categories()[i]).dump();
      prompts += "}\n";
    } catch (const nlohmann::json::type_error&) {
      throw std::domain_error(
          detail::text("write_routing_table: the text of prompt ", i, " is not UTF-8, but must be"));
    }
  }
  staged.write("prompts.jsonl", prompts);

  std::set<std::string> titles;
  for (const auto& model : table.models()) {
    for (const auto& [title, value] : model.others) titles.insert(title);
  }
  std::string models = "model,cost,price_in_per_mtok,price_out_per_mtok,params_b";
  for (const auto& title : titles) models += "," + detail::csv_text(title);
  models += "\n";
  for (const auto& model : table.models()) {
    models += detail::csv_text(model.name);
    for (const auto& number : {model.cost, model.price_in_per_mtok, model.price_out_per_mtok, model.params_b})
      models += "," + (number ? detail::shortest_digits(*number) : std::string());
    for (const auto& title : titles) {
      const auto found = model.others.find(title);
      models += "," + (found == model.others.end() ? std::string() : detail::csv_text(found->second));
    }
    models += "\n";
  }
  staged.write("models.csv", models);

  const auto write_cells = [&](std::string_view file, const matrix<double>& values, bool losses) {
    std::string out = "id";
    for (const auto& model : table.models()) out += "," + detail::csv_text(model.name);
    out += "\n";
    for (std::size_t i = 0; i < table.size(); ++i) {
      out += detail::csv_text(table.ids()[i]);
      for (const double value : row(values, i)) {
        out += ",";
        if (!is_missing(value)) out += losses ? detail::quality_digits(value) : detail::shortest_digits(value);
      }
      out += "\n";
    }
    staged.write(file, out);
  };
  write_cells("outcomes.csv", table.losses(), true);
  write_cells("costs.csv", table.costs(), false);
  if (table.counts().size() != 0) write_cells("outcome_counts.csv", table.counts(), false);
  if (table.has_embeddings()) write_npy(staged.path() / "embeddings.npy", table.embeddings());
  staged.commit();
}

}  // namespace uniroute
