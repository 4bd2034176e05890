#pragma once

// Seen LLMs in the part of unseen ones: trials made of a trial's training set, on which methods can be scored and
// mixed.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/trial.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How seen LLMs are held out as if they were new.
struct seen_as_new_options {
  std::size_t folds = 2;      ///< of the seen LLMs; each fold is a pool of LLMs that no step was fitted on
  std::size_t repeats = 1;    ///< of the folds, with other draws
  double scored_share = 0.3;  ///< of the training prompts: routed and scored

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("folds", of.folds);
    visit("repeats", of.repeats);
    visit("scored_share", of.scored_share);
  }
};

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

/// Each fold: held-out seen LLMs are represented on as many prompts as the validation sample has, drawn from prompts
/// that nothing is fitted on, and scored on others. A pool that does not change has no LLMs to hold out: all are fitted
/// on, represented and scored, each time on other prompts.
inline std::vector<rehearsal> rehearse_on_seen(const trial_data& outer, const seen_as_new_options& options) {
  const std::size_t n = rows(outer.train_x), m = outer.seen.size();
  const std::size_t folds = outer.static_pool ? options.folds : std::min(options.folds, m / 2);
  require(folds >= 1, "rehearsals_of: the trial has ", m, " seen LLMs, but must have at least 2");
  const auto scored_of = [&](std::size_t prompts) {
    return static_cast<std::size_t>(options.scored_share * static_cast<double>(prompts));
  };
  const std::size_t scored = scored_of(n);
  const std::size_t labelled = std::min(rows(outer.validation_x), (n - scored) / 2);
  if (scored == 0 || labelled == 0) {
    std::size_t least = 3;
    while (scored_of(least) == 0 || least - scored_of(least) < 2) ++least;
    require(n >= least, "rehearsals_of: the trial has ", n, " training prompts, but must have at least ", least,
            ": one to score, one to label, one to fit on");
    require(labelled != 0, "rehearsals_of: the trial has 0 validation prompts, but must have at least 1");
  }
  random_engine draws(derive_seed(outer.seed, 0x5EED));
  std::vector<std::size_t> models(m), prompts(n);
  std::iota(models.begin(), models.end(), std::size_t{0});
  std::iota(prompts.begin(), prompts.end(), std::size_t{0});
  shuffle(std::span(models), draws);
  std::vector<rehearsal> out;
  for (std::size_t round = 0; round < options.repeats * folds; ++round) {
    const std::size_t f = round % folds;
    if (f == 0 && round != 0) shuffle(std::span(models), draws);
    shuffle(std::span(prompts), draws);
    const std::span all(prompts);
    const auto score = all.first(scored), label = all.subspan(scored, labelled), fit = all.subspan(scored + labelled);
    std::vector<std::size_t> held, kept;
    for (std::size_t at = 0; at < m; ++at) (at % folds == f ? held : kept).push_back(models[at]);
    if (outer.static_pool) {
      held = kept = models;
    } else if (folds == 1) {  // too few LLMs for two pools: half of them are held back
      held.assign(models.begin(), models.begin() + static_cast<std::ptrdiff_t>(m / 2));
      kept.assign(models.begin() + static_cast<std::ptrdiff_t>(m / 2), models.end());
    }
    rehearsal r;
    r.trial.seed = derive_seed(outer.seed, round + 1);
    r.trial.static_pool = outer.static_pool;
    r.trial.train_x = take_rows(outer.train_x, fit);
    r.trial.validation_x = take_rows(outer.train_x, label);
    r.trial.test_x = take_rows(outer.train_x, score);
    r.trial.train_losses = take(outer.train_losses, fit, kept);
    r.trial.train_costs = take(outer.train_costs, fit, kept);
    r.trial.validation_losses = take(outer.train_losses, label, held);
    r.trial.validation_costs = take(outer.train_costs, label, held);
    r.trial.seen = names_at(outer.seen, kept);
    r.trial.unseen = names_at(outer.seen, held);
    r.losses = take(outer.train_losses, score, held);
    r.costs = take(outer.train_costs, score, held);
    out.push_back(std::move(r));
  }
  return out;
}

/// Leaves of some matrices the columns `kept`.
inline void keep_columns(std::span<const std::size_t> kept, std::initializer_list<matrix<double>*> of) {
  for (matrix<double>* values : of) {
    std::vector<std::size_t> all(rows(*values));
    std::iota(all.begin(), all.end(), std::size_t{0});
    *values = take(*values, all, kept);
  }
}

/// Drops LLMs without any outcome to learn from, to represent or to score them.
inline void drop_unobserved(rehearsal& r) {
  const auto any = [](const loss_matrix& losses, std::size_t h) {
    for (std::size_t i = 0; i < rows(losses); ++i) {
      if (!is_missing(losses(i, h))) return true;
    }
    return false;
  };
  std::vector<std::size_t> fitted, held;
  for (std::size_t h = 0; h < columns(r.trial.train_losses); ++h) {
    if (any(r.trial.train_losses, h)) fitted.push_back(h);
  }
  for (std::size_t h = 0; h < columns(r.losses); ++h) {
    if (any(r.losses, h) && any(r.trial.validation_losses, h)) held.push_back(h);
  }
  if (fitted.size() < columns(r.trial.train_losses)) {
    keep_columns(fitted, {&r.trial.train_losses, &r.trial.train_costs});
    r.trial.seen = names_at(r.trial.seen, fitted);
  }
  if (held.size() < columns(r.losses)) {
    keep_columns(held, {&r.losses, &r.costs, &r.trial.validation_losses, &r.trial.validation_costs});
    r.trial.unseen = names_at(r.trial.unseen, held);
  }
}

}  // namespace detail

/// The rehearsals of a trial, made once a trial; from nothing but its training prompts and seen LLMs (in a static pool
/// these are those that it routes to). Those without a seen LLM, or with fewer than 2 others, that have outcomes are
/// dropped. Throws std::invalid_argument for too few LLMs or prompts.
inline const std::vector<rehearsal>& rehearsals_of(const trial_data& trial, const seen_as_new_options& options = {}) {
  detail::require(options.folds >= 1 && options.repeats >= 1, "rehearsals_of: folds is ", options.folds,
                  " and repeats is ", options.repeats, ", but must be at least 1");
  detail::require(options.scored_share > 0 && options.scored_share < 1, "rehearsals_of: scored_share is ",
                  options.scored_share, ", but must be between 0 and 1");
  const std::string key = detail::text("rehearsals ", options.folds, " ", options.repeats, " ", options.scored_share);
  return trial.memo.get<std::vector<rehearsal>>(key, [&] {
    auto out = detail::rehearse_on_seen(trial, options);
    for (auto& r : out) detail::drop_unobserved(r);
    std::erase_if(out, [](const rehearsal& r) { return r.trial.seen.empty() || r.trial.unseen.size() < 2; });
    return out;
  });
}

}  // namespace uniroute
