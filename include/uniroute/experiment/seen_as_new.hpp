#pragma once

// Hyper-parameters, and whole methods, chosen by treating seen LLMs as if they were new.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/rehearsal.hpp>
#include <uniroute/experiment/trial.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The score of each candidate, in order: its mean nArea over the rehearsals (default convention). Predictions are made
/// once a trial, whoever asks: candidates must have distinct names. Throws std::invalid_argument for too few LLMs or
/// prompts.
inline std::vector<double> score_on_seen(const trial_data& trial, std::span<const routing_method> candidates,
                                         const seen_as_new_options& options = {}) {
  const auto& rehearsals = rehearsals_of(trial, options);
  std::vector<double> scores(candidates.size(), 0.0);
  for (const auto& r : rehearsals) {
    const auto pool = range_of(single_models(r.losses, r.costs));
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const std::string key = detail::text("nArea of ", candidates[c].name);
      scores[c] += r.trial.memo.get<double>(key, [&] {
        const prediction& p = predict_once(candidates[c], r.trial);
        return normalised_area(curve_function(trace_prediction(p, r.losses, r.costs), pool)).value_or(0);
      }) / static_cast<double>(rehearsals.size());
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
            prediction out = predict_once(candidates[best], trial);
            out.chosen = option_of(candidates[best].name);
            return out;
          }};
}

}  // namespace uniroute
