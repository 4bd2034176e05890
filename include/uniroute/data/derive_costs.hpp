#pragma once

// What prompts cost on models, from whatever is known of it: every reader of tables gives the same costs.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/observed.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What every model costs, where the table has no prices or others are wanted: `table` is what the files say, `params`
/// its parameters in billions (params_b), `one` 1 for every prompt and model.
enum class cost_source { table, params, one };

/// What was recorded of each prompt and model, n x M each, `missing` where it is not known.
struct cost_records {
  cost_matrix costs = make_matrix<double>(0, 0);              ///< of that prompt on that model
  matrix<double> tokens_in = make_matrix<double>(0, 0);       ///< of the prompt
  matrix<double> tokens_out = make_matrix<double>(0, 0);      ///< of the answer
  matrix<double> characters_out = make_matrix<double>(0, 0);  ///< of the answer, where nobody counted tokens
};

/// Costs, and which models have any.
struct derived_costs {
  cost_matrix costs = make_matrix<double>(0, 0);  ///< n x M; columns of models that are not kept are undefined
  std::vector<std::size_t> kept;                  ///< models with a cost, rising
  std::string left_out;                           ///< the names of the others, with commas
  std::vector<std::string> notes;                 ///< how costs came about, a sentence each
};

namespace detail {

/// Characters / 4; bytes that continue a UTF-8 character do not count.
inline double estimated_tokens(std::string_view prompt) noexcept {
  const auto characters = std::count_if(prompt.begin(), prompt.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return static_cast<double>(characters) / 4;
}

/// Whether column h has any cost; missing ones take the mean of the others.
inline bool fill_with_mean(cost_matrix& costs, std::size_t h) {
  const double mean = column_mean(costs, h, missing);
  for (std::size_t i = 0; i < rows(costs); ++i) {
    if (is_missing(costs(i, h))) costs(i, h) = mean;
  }
  return !is_missing(mean);
}

}  // namespace detail

/// Of each of the n prompts and M models: the recorded cost, else the model's `cost`, else its two prices times tokens
/// (characters / 4 where they are not counted; an answer of unknown length counts as long as its prompt); where one is
/// missing it is the model's mean. `prompts` are the texts, n or none. For another source than `table`, `records` may
/// be empty, and every model's `cost` becomes what it was asked to be. O(n M). Throws std::invalid_argument for shapes.
inline derived_costs derive_costs(cost_source source, std::size_t n, std::span<model_info> models,
                                  std::span<const std::string> prompts, cost_records records) {
  constexpr auto where = "derive_costs";
  detail::require(prompts.empty() || prompts.size() == n, where, ": prompts has ", prompts.size(),
                  " entries, but must have 0 or ", n);
  if (source == cost_source::table) {
    for (const auto* cells : {&records.costs, &records.tokens_in, &records.tokens_out, &records.characters_out})
      detail::require(rows(*cells) == n && columns(*cells) == models.size(), where, ": a matrix of records is ",
                      rows(*cells), " x ", columns(*cells), ", but must be ", n, " x ", models.size());
  }
  derived_costs out;
  const auto leave_out = [&](const model_info& model) {
    out.left_out += (out.left_out.empty() ? "" : ", ") + model.name;
  };
  if (source != cost_source::table) {
    out.costs = make_matrix<double>(n, models.size(), 1.0);
    for (std::size_t h = 0; h < models.size(); ++h) {
      if (source == cost_source::params && !models[h].params_b) {
        leave_out(models[h]);
        continue;
      }
      models[h].cost = source == cost_source::params ? *models[h].params_b : 1.0;
      for (std::size_t i = 0; i < n; ++i) out.costs(i, h) = *models[h].cost;
      out.kept.push_back(h);
    }
    out.notes.emplace_back(source == cost_source::params ? "Costs: parameters in billions, as asked for."
                                                         : "Costs: 1 for every prompt and model, as asked for.");
    return out;
  }
  out.costs = std::move(records.costs);
  std::size_t priced = 0, estimated = 0, as_long = 0;
  for (std::size_t h = 0; h < models.size(); ++h) {
    const model_info& model = models[h];
    bool known = detail::fill_with_mean(out.costs, h);
    if (!known && model.cost) {
      for (std::size_t i = 0; i < n; ++i) out.costs(i, h) = *model.cost;
      known = true;
    }
    if (!known && model.price_in_per_mtok && model.price_out_per_mtok) {
      for (std::size_t i = 0; i < n; ++i) {
        const double length = prompts.empty() ? missing : detail::estimated_tokens(prompts[i]);
        double in = records.tokens_in(i, h), answer = records.tokens_out(i, h);
        estimated += is_missing(in) || is_missing(answer) ? 1u : 0u;
        if (is_missing(in)) in = length;
        if (is_missing(answer)) {
          const double characters = records.characters_out(i, h);
          as_long += is_missing(characters) ? 1u : 0u;
          answer = is_missing(characters) ? length : characters / 4;
        }
        out.costs(i, h) = (in * *model.price_in_per_mtok + answer * *model.price_out_per_mtok) * 1e-6;
      }
      known = detail::fill_with_mean(out.costs, h);
      priced += known ? 1u : 0u;
    }
    if (known) {
      out.kept.push_back(h);
    } else {
      leave_out(model);
    }
  }
  if (priced != 0) {
    out.notes.push_back(detail::text(
        "Costs of ", priced, " models: prices x tokens", estimated != 0 ? ", tokens estimated as characters / 4" : "",
        as_long != 0 ? "; an answer of unknown length counts as long as its prompt" : "", "."));
  }
  return out;
}

}  // namespace uniroute
