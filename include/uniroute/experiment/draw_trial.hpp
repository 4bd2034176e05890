#pragma once

// One random split of a table as a trial: what methods may see, and what they are graded by.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/data/split.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/graded_trial.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// The categories that a shift may go to: enough prompts to represent and to score LLMs on, and others to fit on.
template <class Loss>
std::vector<std::string_view> shift_targets(const basic_routing_table<Loss>& table) {
  std::map<std::string_view, std::size_t> sizes;
  for (const auto& c : table.categories()) ++sizes[c];
  std::vector<std::string_view> out;
  for (const auto& [name, size] : sizes) {
    if (size >= 200 && size < table.size()) out.push_back(name);
  }
  return out;
}

/// Leaves of the training prompts those outside one category, and of the others those inside: a shift of prompts.
template <class Loss>
void shift_categories(const basic_routing_table<Loss>& table, std::size_t validation_prompts, std::uint64_t seed,
                      split_indices& rows_of) {
  const auto categories = table.categories();
  const auto large = shift_targets(table);
  require(!large.empty(), "run_protocol: shift is true, but must be false for table '", table.name(),
          "', which has no category of 200 prompts or more beside others");
  random_engine draws(seed);
  const std::string_view target = large[draws.below(large.size())];
  split_indices out = rows_of;
  out.train.clear();
  out.test.clear();
  std::vector<std::size_t> inside;
  for (const auto* side : {&rows_of.train, &rows_of.validation}) {
    for (const std::size_t i : *side) (categories[i] == target ? inside : out.train).push_back(i);
  }
  for (const std::size_t i : rows_of.test) {
    if (categories[i] == target) out.test.push_back(i);
  }
  shuffle(std::span(inside), draws);
  inside.resize(std::min(inside.size(), validation_prompts));
  out.validation = inside;
  std::sort(out.train.begin(), out.train.end());
  std::sort(out.validation.begin(), out.validation.end());
  require(!out.train.empty() && !out.validation.empty() && !out.test.empty(), "run_protocol: shift to category '",
          target, "' leaves a side without prompts");
  rows_of = std::move(out);
}

/// Hides a share of outcomes at random, each LLM's last observed one excepted.
inline void hide_outcomes(loss_matrix& losses, double share, random_engine& draws) {
  for (std::size_t h = 0; h < columns(losses); ++h) {
    std::size_t observed = 0;
    for (std::size_t i = 0; i < rows(losses); ++i) observed += is_missing(losses(i, h)) ? 0u : 1u;
    for (std::size_t i = 0; i < rows(losses); ++i) {
      if (is_missing(losses(i, h)) || draws.uniform() >= share || observed == 1) continue;
      losses(i, h) = missing;
      --observed;
    }
  }
}

/// Views of what a table knows of its prompts.
template <class Loss>
prompt_records records_of(const basic_routing_table<Loss>& table) {
  return {{table.ids().begin(), table.ids().end()},
          {table.prompts().begin(), table.prompts().end()},
          {table.categories().begin(), table.categories().end()}};
}

template <class Loss>
graded_trial make_trial(const basic_routing_table<Loss>& table, const loss_matrix& expected,
                        const embed_function& embed, const protocol_options& options, std::size_t index) {
  split_options how;
  how.train = (1 - options.test) * 0.5;
  how.validation = (1 - options.test) * 0.5;
  how.seen_models = options.seen_models;
  how.together = options.together;
  how.seed = derive_seed(options.seed, index);
  const auto half = static_cast<std::size_t>((1 - options.test) * static_cast<double>(table.size()) / 2);
  how.validation_prompts = std::max<std::size_t>(1, std::min(options.validation_prompts, half));
  split_indices rows_of = split_rows(table, how);
  if (options.static_pool) {
    rows_of.static_pool = true;
    rows_of.seen.resize(table.model_count());
    std::iota(rows_of.seen.begin(), rows_of.seen.end(), std::size_t{0});
    rows_of.unseen = rows_of.seen;
  }
  if (options.shift) shift_categories(table, how.validation_prompts, derive_seed(how.seed, 3), rows_of);
  graded_trial out;
  out.sizes = {rows_of.train.size(), rows_of.validation.size(), rows_of.test.size()};

  const auto observed = [&](const std::vector<std::size_t>& prompts, std::size_t h) {
    return std::any_of(prompts.begin(), prompts.end(), [&](auto i) { return !is_missing(table.losses()(i, h)); });
  };
  const auto unseen_at_all = [&](std::size_t h) {
    return !observed(rows_of.validation, h) || !observed(rows_of.test, h);
  };
  const auto gone = std::remove_if(rows_of.unseen.begin(), rows_of.unseen.end(), unseen_at_all);
  out.dropped = static_cast<std::size_t>(rows_of.unseen.end() - gone);
  rows_of.unseen.erase(gone, rows_of.unseen.end());
  require(!rows_of.unseen.empty(), "run_protocol: trial ", index, " has no unseen LLM with observed outcomes");

  trial_data& t = out.seen;
  const embedding_matrix x = embed(rows_of.train);
  require(rows(x) == table.size(), "run_protocol: embed returned ", rows(x), " rows, but must return ", table.size());
  t.seed = derive_seed(how.seed, 2);
  t.static_pool = rows_of.static_pool;
  t.train_x = take_rows(x, std::span<const std::size_t>(rows_of.train));
  t.validation_x = take_rows(x, std::span<const std::size_t>(rows_of.validation));
  t.test_x = take_rows(x, std::span<const std::size_t>(rows_of.test));
  t.train_losses = take(table.losses(), rows_of.train, rows_of.seen);
  t.train_costs = take(table.costs(), rows_of.train, rows_of.seen);
  t.validation_losses = take(table.losses(), rows_of.validation, rows_of.unseen);
  t.validation_costs = take(table.costs(), rows_of.validation, rows_of.unseen);
  if (options.clairvoyant) t.clairvoyant_losses = take(table.losses(), rows_of.train, rows_of.unseen);
  if (options.hidden > 0) {
    random_engine draws(derive_seed(how.seed, 4));
    for (loss_matrix* losses : {&t.train_losses, &t.validation_losses}) hide_outcomes(*losses, options.hidden, draws);
  }
  const auto all = records_of(table);
  t.train = all.select(rows_of.train);
  t.validation = all.select(rows_of.validation);
  t.test = all.select(rows_of.test);
  for (const std::size_t h : rows_of.seen) t.seen.push_back(table.models()[h].name);
  for (const std::size_t h : rows_of.unseen) t.unseen.push_back(table.models()[h].name);
  out.losses = take(table.losses(), rows_of.test, rows_of.unseen);
  out.costs = take(table.costs(), rows_of.test, rows_of.unseen);
  if (expected.size() != 0) out.bayes = take(expected, rows_of.test, rows_of.unseen);
  return out;
}

}  // namespace detail

}  // namespace uniroute
