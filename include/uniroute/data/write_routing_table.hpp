#pragma once

// A routing table to a directory that read_routing_table, or any other language, reads.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/npy.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>

namespace uniroute {

namespace detail {

/// Makes a directory beside `target` and puts it in its place only when all is written; else takes it away again.
/// Directories beside the target get names that nothing has yet, so that nobody's files are in the way.
class staged_directory {
 public:
  staged_directory(std::string_view function, const std::filesystem::path& target, std::string_view marker)
      : target_(target.has_filename() ? target : target.parent_path()) {
    // A link stands for what it points to, which is what is replaced.
    if (std::filesystem::is_symlink(target_)) {
      require(std::filesystem::exists(target_), function, ": '", target_.string(), "' is a link to '",
              std::filesystem::read_symlink(target_).string(), "', which is not there, but must be");
      target_ = std::filesystem::canonical(target_);
    }
    const bool replaceable = !std::filesystem::exists(target_) || std::filesystem::exists(target_ / marker) ||
                             (std::filesystem::is_directory(target_) && std::filesystem::is_empty(target_));
    require(replaceable, function, ": '", target_.string(), "' exists and has no ", marker,
            ", but must be new, empty or of the same kind (it would be replaced)");
    if (target_.has_parent_path()) std::filesystem::create_directories(target_.parent_path());
    staged_ = fresh_directory(".partial");
  }
  staged_directory(const staged_directory&) = delete;
  staged_directory& operator=(const staged_directory&) = delete;
  ~staged_directory() {
    std::error_code ignored;
    if (!done_) std::filesystem::remove_all(staged_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return staged_; }

  void write(std::string_view file, std::string_view content) const {
    std::ofstream out(staged_ / file, std::ios::binary);
    out << content;
    if (!out.flush()) throw format_error((staged_ / file).string(), 0, 0, "cannot be written");
  }

  void commit() {
    if (!std::filesystem::exists(target_)) {
      std::filesystem::rename(staged_, target_);
      done_ = true;
      return;
    }
    const std::filesystem::path aside = fresh_directory(".replaced"), old = aside / "old";
    std::filesystem::rename(target_, old);
    std::error_code error;
    std::filesystem::rename(staged_, target_, error);
    done_ = !error;
    if (error) std::filesystem::rename(old, target_);
    std::filesystem::remove_all(aside);
    if (error) throw std::filesystem::filesystem_error("cannot be put in place", staged_, target_, error);
  }

 private:
  std::filesystem::path fresh_directory(std::string_view ending) const {
    for (std::size_t i = 0;; ++i) {
      std::filesystem::path path = target_.string() + text(ending, "-", i);
      if (std::filesystem::create_directory(path)) return path;
    }
  }

  std::filesystem::path target_, staged_;
  bool done_ = false;
};

}  // namespace detail

/// Writes the table. A table that stands in `dir` is replaced, with every file there. All or nothing: the files are
/// written beside `dir`, which is then renamed. Ids, texts, losses, costs, counts and embeddings read back bit for bit:
/// numbers have the shortest digits that do, and an outcome is the decimal number 1 − loss, in full (`loss_of`).
/// Not kept: the table's name, which is that of the directory, and its notes.
/// Throws std::invalid_argument if `dir` is something else than a table, std::domain_error for a text that is not
/// UTF-8, format_error if a file cannot be written.
template <class Loss>
void write_routing_table(const basic_routing_table<Loss>& table, const std::filesystem::path& dir) {
  detail::staged_directory staged("write_routing_table", dir, "outcomes.csv");
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
