#pragma once

// A routing table: prompts x models outcomes, costs, texts or embeddings. What an experiment reads.

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One LLM of a table, as models.csv describes it.
struct model_info {
  std::string name = {};
  std::optional<double> cost = {};                 ///< cost of one prompt, if the table gives one
  std::optional<double> price_in_per_mtok = {};    ///< US dollars per million input tokens
  std::optional<double> price_out_per_mtok = {};   ///< US dollars per million output tokens
  std::optional<double> params_b = {};             ///< parameters, in billions
  std::map<std::string, std::string> others = {};  ///< further columns, as text
};

/// The parts of a routing table, for the constructor. Empty optional parts: size 0.
struct routing_table_parts {
  std::string name;                     ///< for reports
  std::vector<std::string> ids;         ///< n distinct ids
  std::vector<std::string> prompts;     ///< n texts, or none
  std::vector<std::string> categories;  ///< n texts, or none
  std::vector<model_info> models;       ///< M distinct names
  loss_matrix losses;                   ///< n x M in [0, 1], `missing` where not observed
  cost_matrix costs;                    ///< n x M >= 0, finite
  matrix<double> counts = {};           ///< n x M runs behind each outcome (>= 1), or 0 x 0: one each
  embedding_matrix embeddings = {};     ///< n x D, or 0 x 0
  std::vector<std::string> notes = {};  ///< what a reader should be told: where costs came from, what was left out
};

/// Prompts x models outcomes with costs, and the prompts as texts, embeddings or both. Immutable once made.
/// `Loss` is bounded_loss, or binary_loss when every observed loss was checked to be 0 or 1 (`as_binary`).
template <class Loss>
class basic_routing_table {
 public:
  using loss_type = Loss;

  basic_routing_table() = default;

  /// Throws std::invalid_argument for shapes that do not agree and repeated ids or names, std::domain_error for
  /// outcomes outside [0, 1], NaN, negative or infinite costs, and non-finite embeddings.
  explicit basic_routing_table(routing_table_parts parts) : parts_(std::move(parts)) { check(); }

  const std::string& name() const noexcept { return parts_.name; }
  std::size_t size() const noexcept { return parts_.ids.size(); }            ///< prompts, n
  std::size_t model_count() const noexcept { return parts_.models.size(); }  ///< models, M
  std::span<const std::string> ids() const noexcept { return parts_.ids; }
  std::span<const std::string> prompts() const noexcept { return parts_.prompts; }
  std::span<const std::string> categories() const noexcept { return parts_.categories; }
  const std::vector<model_info>& models() const noexcept { return parts_.models; }
  const loss_matrix& losses() const noexcept { return parts_.losses; }
  const cost_matrix& costs() const noexcept { return parts_.costs; }
  const matrix<double>& counts() const noexcept { return parts_.counts; }
  const embedding_matrix& embeddings() const noexcept { return parts_.embeddings; }
  const std::vector<std::string>& notes() const noexcept { return parts_.notes; }
  bool has_prompts() const noexcept { return !parts_.prompts.empty(); }
  bool has_embeddings() const noexcept { return parts_.embeddings.size() != 0; }
  const routing_table_parts& parts() const noexcept { return parts_; }

  std::vector<std::string> model_names() const {
    std::vector<std::string> names;
    for (const auto& model : parts_.models) names.push_back(model.name);
    return names;
  }

  /// The column of a model. Throws std::invalid_argument for an unknown name.
  std::size_t model_index(std::string_view model) const {
    const auto found =
        std::find_if(parts_.models.begin(), parts_.models.end(), [&](const auto& m) { return m.name == model; });
    detail::require(found != parts_.models.end(), "routing_table::model_index: '", model, "' is not a model of table '",
                    parts_.name, "'");
    return static_cast<std::size_t>(found - parts_.models.begin());
  }

  /// The mean cost of a model over the table's prompts. Throws std::invalid_argument for an unknown name.
  double mean_cost(std::string_view model) const {
    const std::size_t j = model_index(model);
    detail::require(size() != 0, "routing_table::mean_cost: the table has 0 prompts, but must have at least 1");
    double sum = 0;
    for (std::size_t i = 0; i < size(); ++i) sum += parts_.costs(i, j);
    return sum / static_cast<double>(size());
  }

  /// What every prompt costs on a model, where the table says so: `model_info::cost`, and no cost of a prompt differs
  /// from it. Costs that are merely equal in a table are not declared.
  std::optional<double> declared_cost(std::size_t model) const {
    const std::optional<double>& cost = parts_.models.at(model).cost;
    if (!cost) return {};
    for (std::size_t i = 0; i < size(); ++i) {
      if (parts_.costs(i, model) != *cost) return {};
    }
    return cost;
  }

  /// The sub-table of those prompts and models, in that order. Indices must be within the table.
  basic_routing_table select(std::span<const std::size_t> prompt_indices,
                             std::span<const std::size_t> model_indices) const {
    basic_routing_table out;
    auto& to = out.parts_;
    to.name = parts_.name;
    to.notes = parts_.notes;
    for (const std::size_t i : prompt_indices) {
      detail::require(i < size(), "routing_table::select: prompt index is ", i, ", but must be below ", size());
      to.ids.push_back(parts_.ids[i]);
      if (!parts_.prompts.empty()) to.prompts.push_back(parts_.prompts[i]);
      if (!parts_.categories.empty()) to.categories.push_back(parts_.categories[i]);
    }
    for (const std::size_t j : model_indices) {
      detail::require(j < model_count(), "routing_table::select: model index is ", j, ", but must be below ",
                      model_count());
      to.models.push_back(parts_.models[j]);
    }
    to.losses = take(parts_.losses, prompt_indices, model_indices);
    to.costs = take(parts_.costs, prompt_indices, model_indices);
    if (parts_.counts.size() != 0) to.counts = take(parts_.counts, prompt_indices, model_indices);
    if (has_embeddings()) to.embeddings = take_rows(parts_.embeddings, prompt_indices);
    out.check_distinct();
    return out;
  }

  /// The share of outcomes that are missing, in [0, 1].
  double missing_share() const {
    if (parts_.losses.size() == 0) return 0;
    const auto absent = std::count_if(parts_.losses.begin(), parts_.losses.end(), is_missing);
    return static_cast<double>(absent) / static_cast<double>(parts_.losses.size());
  }

 private:
  template <class T>
  void check_rows(std::string_view thing, const T& values) const {
    detail::require(values.size() == 0 || values.size() == size(), "routing_table: ", thing, " has ", values.size(),
                    " entries, but must have 0 or ", size());
  }

  template <class T>
  void check_matrix(std::string_view thing, const matrix<T>& values) const {
    detail::require(rows(values) == size() && columns(values) == model_count(), "routing_table: ", thing, " is ",
                    rows(values), " x ", columns(values), ", but must be ", size(), " x ", model_count());
  }

  void check_distinct() const {
    std::set<std::string_view> seen;
    for (const auto& id : parts_.ids)
      detail::require(seen.insert(id).second, "routing_table: id '", id, "' occurs twice, but ids must be distinct");
    seen.clear();
    for (const auto& model : parts_.models)
      detail::require(seen.insert(model.name).second, "routing_table: model '", model.name,
                      "' occurs twice, but names must be distinct");
  }

  void check() const {
    check_rows("prompts", parts_.prompts);
    check_rows("categories", parts_.categories);
    check_distinct();
    check_matrix("losses", parts_.losses);
    check_matrix("costs", parts_.costs);
    detail::check_losses("routing_table", "losses", parts_.losses);
    if constexpr (std::same_as<Loss, binary_loss>) check_binary();
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < model_count(); ++j) detail::check_cost("routing_table", "a cost", parts_.costs(i, j));
    }
    if (parts_.counts.size() != 0) check_matrix("counts", parts_.counts);
    if (parts_.embeddings.size() != 0) {
      detail::require(rows(parts_.embeddings) == size(), "routing_table: embeddings has ", rows(parts_.embeddings),
                      " rows, but must have ", size());
      detail::check_finite("routing_table", "embeddings", parts_.embeddings);
    }
  }

  void check_binary() const {
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < model_count(); ++j) {
        const double loss = parts_.losses(i, j);
        detail::require<std::domain_error>(is_missing(loss) || loss == 0 || loss == 1, "as_binary: the loss of model '",
                                           parts_.models[j].name, "' on prompt '", parts_.ids[i], "' is ", loss,
                                           ", but must be 0, 1 or missing");
      }
    }
  }

  routing_table_parts parts_;
};

/// A table of losses in [0, 1].
using routing_table = basic_routing_table<bounded_loss>;
/// A table whose observed losses were checked to be 0 or 1; what exact binomial intervals ask for.
using binary_routing_table = basic_routing_table<binary_loss>;

/// The same table with the 0-1 tag. Throws std::domain_error, naming the first prompt and model, if a loss is graded.
inline binary_routing_table as_binary(const routing_table& table) { return binary_routing_table(table.parts()); }

}  // namespace uniroute
