#pragma once

// Hyper-parameters, and whole methods, chosen by treating seen LLMs as if they were new.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/trial.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

struct seen_as_new_options {
  std::size_t folds = 2;      ///< of the seen LLMs; each fold is a pool of LLMs that no step was fitted on
  double scored_share = 0.3;  ///< of the training prompts: routed and scored
};

namespace detail {

/// A training set cut into trials of its own, whose test outcomes are known.
struct rehearsal {
  trial_data trial;
  loss_matrix losses;
  cost_matrix costs;
};

inline std::vector<std::string> names_at(const std::vector<std::string>& names, std::span<const std::size_t> at) {
  std::vector<std::string> out;
  for (const std::size_t h : at) out.push_back(names[h]);
  return out;
}

/// Each fold: held-out seen LLMs are represented on as many prompts as the validation sample has, drawn from prompts
/// that nothing is fitted on, and scored on others.
inline std::vector<rehearsal> rehearse_on_seen(const trial_data& outer, const seen_as_new_options& options) {
  const std::size_t n = rows(outer.train_x), m = outer.seen.size();
  const std::size_t folds = std::min(options.folds, m / 2);
  require(folds >= 1, "seen_as_new: the trial has ", m, " seen LLMs, but must have at least 2");
  const auto scored = static_cast<std::size_t>(options.scored_share * static_cast<double>(n));
  const std::size_t labelled = std::min(rows(outer.validation_x), (n - scored) / 2);
  require(scored >= 1 && labelled >= 1, "seen_as_new: the trial has ", n,
          " training prompts, too few to hold any back");
  random_engine draws(derive_seed(outer.seed, 0x5EED));
  std::vector<std::size_t> models(m), prompts(n);
  std::iota(models.begin(), models.end(), std::size_t{0});
  std::iota(prompts.begin(), prompts.end(), std::size_t{0});
  shuffle(std::span(models), draws);
  std::vector<rehearsal> out;
  for (std::size_t f = 0; f < folds; ++f) {
    shuffle(std::span(prompts), draws);
    const std::span all(prompts);
    const auto score = all.first(scored), label = all.subspan(scored, labelled), fit = all.subspan(scored + labelled);
    std::vector<std::size_t> held, kept;
    for (std::size_t at = 0; at < m; ++at) (at % folds == f ? held : kept).push_back(models[at]);
    if (folds == 1) {  // too few LLMs for two pools: half of them are held back
      held.assign(models.begin(), models.begin() + static_cast<std::ptrdiff_t>(m / 2));
      kept.assign(models.begin() + static_cast<std::ptrdiff_t>(m / 2), models.end());
    }
    rehearsal r;
    r.trial.seed = derive_seed(outer.seed, f + 1);
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

/// A pool that does not change has no LLMs to hide: cross-validation on the validation prompts.
inline std::vector<rehearsal> rehearse_on_validation(const trial_data& outer) {
  const std::size_t n = rows(outer.validation_x);
  const std::size_t folds = std::min<std::size_t>(5, n);
  require(folds >= 2, "seen_as_new: the trial has ", n, " validation prompts, but must have at least 2");
  random_engine draws(derive_seed(outer.seed, 0x5EED));
  std::vector<std::size_t> prompts(n), all(outer.unseen.size());
  std::iota(prompts.begin(), prompts.end(), std::size_t{0});
  std::iota(all.begin(), all.end(), std::size_t{0});
  shuffle(std::span(prompts), draws);
  std::vector<rehearsal> out;
  for (std::size_t f = 0; f < folds; ++f) {
    std::vector<std::size_t> score, label;
    for (std::size_t at = 0; at < n; ++at) (at % folds == f ? score : label).push_back(prompts[at]);
    rehearsal r;
    r.trial = outer;
    r.trial.clairvoyant_losses = make_matrix<double>(0, 0);
    r.trial.validation_x = take_rows(outer.validation_x, label);
    r.trial.test_x = take_rows(outer.validation_x, score);
    r.trial.validation_losses = take(outer.validation_losses, label, all);
    r.trial.validation_costs = take(outer.validation_costs, label, all);
    r.losses = take(outer.validation_losses, score, all);
    r.costs = take(outer.validation_costs, score, all);
    out.push_back(std::move(r));
  }
  return out;
}

/// Drops LLMs without any outcome to represent or to score them.
inline void drop_unobserved(rehearsal& r) {
  const auto any = [](const loss_matrix& losses, std::size_t h) {
    for (std::size_t i = 0; i < rows(losses); ++i) {
      if (!is_missing(losses(i, h))) return true;
    }
    return false;
  };
  std::vector<std::size_t> kept;
  for (std::size_t h = 0; h < columns(r.losses); ++h) {
    if (any(r.losses, h) && any(r.trial.validation_losses, h)) kept.push_back(h);
  }
  if (kept.size() == columns(r.losses)) return;
  const auto keep = [&](matrix<double>& values) {
    std::vector<std::size_t> all(rows(values));
    std::iota(all.begin(), all.end(), std::size_t{0});
    values = take(values, all, kept);
  };
  keep(r.losses);
  keep(r.costs);
  keep(r.trial.validation_losses);
  keep(r.trial.validation_costs);
  r.trial.unseen = names_at(r.trial.unseen, kept);
}

}  // namespace detail

/// The score of each candidate, in order: its mean nArea over the folds (default convention), from nothing but the
/// trial's training prompts and seen LLMs. In a static pool: from its validation prompts, by 5-fold cross-validation.
/// Throws std::invalid_argument for too few LLMs or prompts.
inline std::vector<double> score_on_seen(const trial_data& trial, std::span<const routing_method> candidates,
                                         const seen_as_new_options& options = {}) {
  auto folds = trial.static_pool ? detail::rehearse_on_validation(trial) : detail::rehearse_on_seen(trial, options);
  std::vector<double> scores(candidates.size(), 0.0);
  for (auto& fold : folds) {
    detail::drop_unobserved(fold);
    if (fold.trial.unseen.size() < 2) continue;
    const auto pool = range_of(single_models(fold.losses, fold.costs));
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const prediction p = candidates[c].predict(fold.trial);
      const curve_function f(trace_curve(p.losses, p.costs, fold.losses, fold.costs), pool);
      scores[c] += normalised_area(f).value_or(0) / static_cast<double>(folds.size());
    }
  }
  return scores;
}

/// A method that runs the best of its candidates by `score_on_seen`; ties go to the earlier one.
/// (UniRoute, section 5.1, chooses K so.) Throws std::invalid_argument for no candidates.
inline routing_method selected_on_seen(std::string name, std::vector<routing_method> candidates,
                                       seen_as_new_options options = {}) {
  detail::require(!candidates.empty(), "selected_on_seen: candidates has 0 entries, but must have at least 1");
  return {std::move(name), [candidates = std::move(candidates), options](const trial_data& trial) {
            std::size_t best = 0;
            if (candidates.size() > 1) {
              const auto scores = score_on_seen(trial, candidates, options);
              best = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
            }
            prediction out = candidates[best].predict(trial);
            out.chosen = candidates[best].name;
            return out;
          }};
}

}  // namespace uniroute
