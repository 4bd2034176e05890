#pragma once

// Splits by prompt and by model: train, validation and test prompts; seen and unseen LLMs.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute {

/// Shares of prompts and of LLMs that `split` gives each part.
struct split_options {
  double train = 0.6;                  ///< share of prompts; the rest after validation is the test
  double validation = 0.1;             ///< share of prompts
  double seen_models = 2.0 / 3;        ///< share of LLMs, rounded to the nearest number
  std::uint64_t seed = 1;              ///< same seed, same split, on every machine
  std::size_t validation_prompts = 0;  ///< if not 0, this many instead, taken from or given to `train`
  bool allow_static_pool = true;       ///< fewer than 3 unseen LLMs: all are seen and unseen (else an error)
  /// A further column of models.csv, say `base_model`: LLMs of equal text there (temperatures and prompting styles of
  /// one LLM are not independent) are all seen or all unseen. Empty: each LLM by itself.
  std::string together = {};
};

/// Row and column indices of a split, each in rising order.
struct split_indices {
  std::vector<std::size_t> train, validation, test;  ///< prompts
  std::vector<std::size_t> seen, unseen;             ///< models
  bool static_pool = false;                          ///< too few LLMs to hide any: seen and unseen are both all of them
};

/// The parts of a table.
template <class Loss>
struct basic_routing_split {
  basic_routing_table<Loss> train;       ///< training prompts x seen LLMs
  basic_routing_table<Loss> validation;  ///< validation prompts x all LLMs
  basic_routing_table<Loss> test;        ///< test prompts x all LLMs
  std::vector<std::string> seen, unseen;
  bool static_pool = false;
};

namespace detail {

/// Prompts in groups of equal text (equal embeddings where there are no texts).
template <class Loss>
std::vector<std::vector<std::size_t>> equal_prompts(const basic_routing_table<Loss>& table) {
  std::map<std::string_view, std::size_t> group_of;
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::string_view key = table.ids()[i];
    if (table.has_prompts()) {
      key = table.prompts()[i];
    } else if (table.has_embeddings()) {
      const auto x = row(table.embeddings(), i);
      key = {reinterpret_cast<const char*>(x.data()), x.size_bytes()};
    }
    const auto [at, fresh] = group_of.try_emplace(key, groups.size());
    if (fresh) groups.emplace_back();
    groups[at->second].push_back(i);
  }
  return groups;
}

/// LLMs in groups of equal text in a column; each by itself where it has none.
template <class Loss>
std::vector<std::vector<std::size_t>> models_together(const basic_routing_table<Loss>& table,
                                                      const std::string& column) {
  std::map<std::string_view, std::size_t> group_of;
  std::vector<std::vector<std::size_t>> groups;
  bool named = column.empty();
  for (std::size_t h = 0; h < table.model_count(); ++h) {
    const auto& others = table.models()[h].others;
    const auto at = others.find(column);
    named = named || at != others.end();
    if (column.empty() || at == others.end() || at->second.empty()) {
      groups.push_back({h});
      continue;
    }
    const auto [group, fresh] = group_of.try_emplace(at->second, groups.size());
    if (fresh) groups.emplace_back();
    groups[group->second].push_back(h);
  }
  require(named, "split: together is '", column, "', but must be a further column of the models (models.csv)");
  return groups;
}

}  // namespace detail

/// Draws a split. Prompts of equal text stay on one side. Uniform over groups of equal prompts and over LLMs (groups of
/// LLMs where they stay together: as many groups are seen as reach the wanted number of LLMs).
/// Throws std::invalid_argument for shares outside their range, for a side that would be empty and for a column that no
/// LLM has.
template <class Loss>
split_indices split_rows(const basic_routing_table<Loss>& table, const split_options& options = {}) {
  constexpr auto where = "split";
  detail::require(options.train > 0 && options.train < 1, where, ": train is ", options.train,
                  ", but must be between 0 and 1");
  detail::require(options.validation > 0 && options.train + options.validation < 1, where, ": validation is ",
                  options.validation, ", but must be above 0 and leave prompts for the test");
  detail::require(options.seen_models > 0 && options.seen_models < 1, where, ": seen_models is ", options.seen_models,
                  ", but must be between 0 and 1");
  detail::require(table.model_count() >= 2, where, ": the table has ", table.model_count(),
                  " models, but must have at least 2");

  split_indices out;
  auto groups = detail::equal_prompts(table);
  random_engine prompt_draws(derive_seed(options.seed, 0));
  shuffle(std::span(groups), prompt_draws);
  const double n = static_cast<double>(table.size());
  auto validation = static_cast<std::size_t>(std::lround(options.validation * n));
  const auto test = static_cast<std::size_t>(std::lround((1 - options.train - options.validation) * n));
  if (options.validation_prompts != 0) validation = options.validation_prompts;
  for (const auto& group : groups) {
    auto& side = out.test.size() < test ? out.test : out.validation.size() < validation ? out.validation : out.train;
    side.insert(side.end(), group.begin(), group.end());
  }
  for (auto* side : {&out.train, &out.validation, &out.test}) {
    detail::require(!side->empty(), where, ": ",
                    side == &out.train  ? "train"
                    : side == &out.test ? "test"
                                        : "validation",
                    " has 0 of ", table.size(), " prompts, but must have at least 1");
    std::sort(side->begin(), side->end());
  }

  const std::size_t m = table.model_count();
  auto model_groups = detail::models_together(table, options.together);
  random_engine model_draws(derive_seed(options.seed, 1));
  shuffle(std::span(model_groups), model_draws);
  const auto wanted = static_cast<std::size_t>(std::lround(options.seen_models * static_cast<double>(m)));
  std::size_t seen = 0;
  std::vector<std::size_t> models;
  for (const auto& group : model_groups) {
    if (models.size() < wanted) seen = models.size() + group.size();
    models.insert(models.end(), group.begin(), group.end());
  }
  if (m - std::min(seen, m) < 3) {
    detail::require(options.allow_static_pool, where, ": ", m - std::min(seen, m),
                    " models would be unseen, but at least 3 must be");
    out.static_pool = true;
    std::sort(models.begin(), models.end());
    out.seen = out.unseen = models;
    return out;
  }
  detail::require(seen >= 1, where, ": 0 models would be seen, but at least 1 must be");
  out.seen.assign(models.begin(), models.begin() + static_cast<std::ptrdiff_t>(seen));
  out.unseen.assign(models.begin() + static_cast<std::ptrdiff_t>(seen), models.end());
  std::sort(out.seen.begin(), out.seen.end());
  std::sort(out.unseen.begin(), out.unseen.end());
  return out;
}

/// Draws a split and takes the table apart. Throws as `split_rows`.
template <class Loss>
basic_routing_split<Loss> split(const basic_routing_table<Loss>& table, const split_options& options = {}) {
  const split_indices rows_of = split_rows(table, options);
  std::vector<std::size_t> all(table.model_count());
  std::iota(all.begin(), all.end(), std::size_t{0});
  basic_routing_split<Loss> out{table.select(rows_of.train, rows_of.seen),
                                table.select(rows_of.validation, all),
                                table.select(rows_of.test, all),
                                {},
                                {},
                                rows_of.static_pool};
  for (const std::size_t h : rows_of.seen) out.seen.push_back(table.models()[h].name);
  for (const std::size_t h : rows_of.unseen) out.unseen.push_back(table.models()[h].name);
  return out;
}

}  // namespace uniroute
