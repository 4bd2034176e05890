#pragma once

// Which seen LLMs are held out as if they were new, and on which prompts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/random.hpp>
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

/// Indices of one fold: of prompts (rows) and of LLMs (columns), in the order they were drawn.
struct seen_fold {
  std::vector<std::size_t> fitted_on, labelled, scored;  ///< prompts; none is in two of them
  std::vector<std::size_t> seen, held;                   ///< LLMs that are fitted on, and that play new ones
  std::uint64_t seed = 0;                                ///< for the draws of who is fitted on this fold
};

namespace detail {

/// The LLMs of those that have an outcome on some of the prompts.
inline void keep_observed(const loss_matrix& losses, std::span<const std::size_t> prompts,
                          std::vector<std::size_t>& models) {
  std::erase_if(models, [&](std::size_t h) {
    return std::none_of(prompts.begin(), prompts.end(), [&](std::size_t i) { return !is_missing(losses(i, h)); });
  });
}

}  // namespace detail

/// Folds of the seen LLMs (`losses`: n training prompts x m seen LLMs, missing allowed). In each the held-out LLMs are
/// represented on `labels` prompts, fewer where there are not so many, drawn from prompts that nothing is fitted on,
/// and scored on others. Folds are at most m / 2; of one fold half of the LLMs are held back. A pool that does not
/// change has no LLMs to hold out: all are fitted on, represented and scored, each time on other prompts. LLMs without
/// an outcome to learn from, to represent or to score them are left out, and so are folds without a seen LLM or with
/// fewer than 2 others. Same seed, same folds. Throws std::invalid_argument, naming `where`, for options out of range
/// and for too few LLMs or prompts.
inline std::vector<seen_fold> folds_of_seen(std::string_view where, const loss_matrix& losses, std::size_t labels,
                                            bool static_pool, std::uint64_t seed,
                                            const seen_as_new_options& options = {}) {
  detail::require(options.folds >= 1 && options.repeats >= 1, where, ": folds is ", options.folds, " and repeats is ",
                  options.repeats, ", but must be at least 1");
  detail::require(options.scored_share > 0 && options.scored_share < 1, where, ": scored_share is ",
                  options.scored_share, ", but must be between 0 and 1");
  const std::size_t n = rows(losses), m = columns(losses);
  const std::size_t folds = static_pool ? options.folds : std::min(options.folds, m / 2);
  detail::require(folds >= 1, where, ": there are ", m, " seen LLMs, but must be at least 2");
  const auto scored_of = [&](std::size_t prompts) {
    return static_cast<std::size_t>(options.scored_share * static_cast<double>(prompts));
  };
  const std::size_t scored = scored_of(n);
  const std::size_t labelled = std::min(labels, (n - scored) / 2);
  if (scored == 0 || labelled == 0) {
    std::size_t least = 3;
    while (scored_of(least) == 0 || least - scored_of(least) < 2) ++least;
    detail::require(n >= least, where, ": there are ", n, " training prompts, but must be at least ", least,
                    ": one to score, one to label, one to fit on");
    detail::require(labelled != 0, where, ": there are 0 validation prompts, but must be at least 1");
  }
  random_engine draws(derive_seed(seed, 0x5EED));
  std::vector<std::size_t> models(m), prompts(n);
  std::iota(models.begin(), models.end(), std::size_t{0});
  std::iota(prompts.begin(), prompts.end(), std::size_t{0});
  shuffle(std::span(models), draws);
  std::vector<seen_fold> out;
  for (std::size_t round = 0; round < options.repeats * folds; ++round) {
    const std::size_t f = round % folds;
    if (f == 0 && round != 0) shuffle(std::span(models), draws);
    shuffle(std::span(prompts), draws);
    const auto place = [&](std::size_t at) { return prompts.begin() + static_cast<std::ptrdiff_t>(at); };
    seen_fold fold{{place(scored + labelled), prompts.end()},
                   {place(scored), place(scored + labelled)},
                   {prompts.begin(), place(scored)},
                   {},
                   {},
                   derive_seed(seed, round + 1)};
    if (static_pool) {
      fold.held = fold.seen = models;
    } else if (folds == 1) {  // too few LLMs for two pools: half of them are held back
      fold.held.assign(models.begin(), models.begin() + static_cast<std::ptrdiff_t>(m / 2));
      fold.seen.assign(models.begin() + static_cast<std::ptrdiff_t>(m / 2), models.end());
    } else {
      for (std::size_t at = 0; at < m; ++at) (at % folds == f ? fold.held : fold.seen).push_back(models[at]);
    }
    detail::keep_observed(losses, fold.fitted_on, fold.seen);
    detail::keep_observed(losses, fold.labelled, fold.held);
    detail::keep_observed(losses, fold.scored, fold.held);
    if (!fold.seen.empty() && fold.held.size() >= 2) out.push_back(std::move(fold));
  }
  return out;
}

}  // namespace uniroute
