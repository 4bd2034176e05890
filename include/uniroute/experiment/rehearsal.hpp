#pragma once

// Seen LLMs in the part of unseen ones: trials made of a trial's training set, on which methods can be scored and
// mixed.

#include <cstddef>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/data/folds.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/trial.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A trial made of another's training set, whose test outcomes are known: seen LLMs play the unseen ones.
struct rehearsal {
  trial_data trial;
  loss_matrix losses;  ///< scored prompts x held-out LLMs
  cost_matrix costs;   ///< the same
};

namespace detail {

inline std::vector<std::string> names_at(const std::vector<std::string>& names, std::span<const std::size_t> at) {
  std::vector<std::string> out;
  for (const std::size_t h : at) out.push_back(names[h]);
  return out;
}

/// Each fold of the seen LLMs as a trial.
inline std::vector<rehearsal> rehearse_on_seen(const trial_data& outer, const seen_as_new_options& options) {
  std::vector<rehearsal> out;
  for (const seen_fold& fold : folds_of_seen("rehearsals_of", outer.train_losses, rows(outer.validation_x),
                                             outer.static_pool, outer.seed, options)) {
    rehearsal r;
    r.trial.seed = fold.seed;
    r.trial.static_pool = outer.static_pool;
    r.trial.train_x = take_rows(outer.train_x, std::span(fold.fitted_on));
    r.trial.validation_x = take_rows(outer.train_x, std::span(fold.labelled));
    r.trial.test_x = take_rows(outer.train_x, std::span(fold.scored));
    r.trial.train_losses = take(outer.train_losses, fold.fitted_on, fold.seen);
    r.trial.train_costs = take(outer.train_costs, fold.fitted_on, fold.seen);
    r.trial.validation_losses = take(outer.train_losses, fold.labelled, fold.held);
    r.trial.validation_costs = take(outer.train_costs, fold.labelled, fold.held);
    r.trial.train = outer.train.select(fold.fitted_on);
    r.trial.validation = outer.train.select(fold.labelled);
    r.trial.test = outer.train.select(fold.scored);
    r.trial.seen = names_at(outer.seen, fold.seen);
    r.trial.unseen = names_at(outer.seen, fold.held);
    r.losses = take(outer.train_losses, fold.scored, fold.held);
    r.costs = take(outer.train_costs, fold.scored, fold.held);
    out.push_back(std::move(r));
  }
  return out;
}

}  // namespace detail

/// The rehearsals of a trial, made once a trial; from nothing but its training prompts and seen LLMs (in a static pool
/// these are those that it routes to). Those without a seen LLM, or with fewer than 2 others, that have outcomes are
/// dropped. Throws std::invalid_argument for too few LLMs or prompts, and for shapes.
inline const std::vector<rehearsal>& rehearsals_of(const trial_data& trial, const seen_as_new_options& options = {}) {
  detail::require(rows(trial.train_x) == rows(trial.train_losses), "rehearsals_of: train_x has ", rows(trial.train_x),
                  " rows, but must have one for each of train_losses, ", rows(trial.train_losses));
  const std::string key = detail::text("rehearsals ", options.folds, " ", options.repeats, " ", options.scored_share);
  return trial.memo.get<std::vector<rehearsal>>(key, [&] { return detail::rehearse_on_seen(trial, options); });
}

}  // namespace uniroute
