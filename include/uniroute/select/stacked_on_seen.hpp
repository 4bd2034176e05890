#pragma once

// Several methods of an experiment mixed by how well they do on seen LLMs treated as new.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/trial.hpp>
#include <uniroute/select/rehearsal.hpp>
#include <uniroute/select/stacking.hpp>
#include <utility>
#include <vector>

namespace uniroute {

struct stacked_on_seen_options {
  seen_as_new_options rehearsals = {};
  /// Candidates for a factor of all weights. A mixture that is right on average still loses area where it moves between
  /// LLMs on weak evidence; the factor is the one whose nArea on the rehearsals is best.
  std::vector<double> scales = {0.1, 0.25, 0.5, 0.75, 1};
};

namespace detail {

inline std::vector<const loss_matrix*> predictions_of(std::span<const routing_method> methods,
                                                      const trial_data& trial) {
  std::vector<const loss_matrix*> out;
  for (const auto& method : methods) out.push_back(&predict_once(method, trial).losses);
  return out;
}

}  // namespace detail

/// γ̂ = μ(h) + s Σ_m w_m (γ̂_m − μ(h)): w by `stacking` on the rehearsals, s the scale of the best mean nArea there; ties
/// to the smaller. From the trial's training prompts and seen LLMs alone, and it is also the guard: where the seen LLMs
/// show no signal, what is left is ZeroRouter. Throws std::invalid_argument for no candidates or no scales, a scale
/// outside [0, ∞), and for too few LLMs or prompts.
inline routing_method stacked_on_seen(std::string name, std::vector<routing_method> candidates,
                                      stacked_on_seen_options options = {}) {
  detail::require(!candidates.empty() && !options.scales.empty(), "stacked_on_seen: candidates has ", candidates.size(),
                  " and scales has ", options.scales.size(), " entries, but must have at least 1");
  for (const double s : options.scales)
    detail::require(s >= 0 && std::isfinite(s), "stacked_on_seen: a scale is ", s,
                    ", but must be finite and at least 0");
  std::sort(options.scales.begin(), options.scales.end());
  return {std::move(name), [candidates = std::move(candidates), options](const trial_data& trial) {
            const auto& rehearsals = rehearsals_of(trial, options.rehearsals);
            stacking stack(candidates.size());
            for (const auto& r : rehearsals)
              stack.add(detail::predictions_of(candidates, r.trial), row(column_means(r.trial.validation_losses), 0),
                        r.losses);
            auto weights = stack.weights();
            const auto scaled = [&](double s) {
              auto out = weights;
              for (double& w : out) w *= s;
              return out;
            };

            double scale = options.scales.front(), best = -1;
            for (const double s : options.scales) {
              if (options.scales.size() == 1) break;
              double score = 0;
              for (const auto& r : rehearsals) {
                const auto means = column_means(r.trial.validation_losses);
                const auto mixed = stacking::mix(detail::predictions_of(candidates, r.trial), row(means, 0), scaled(s),
                                                 rows(r.losses));
                const auto curve = trace_curve(mixed, column_means(r.trial.validation_costs), r.losses, r.costs);
                const curve_function f(curve, range_of(single_models(r.losses, r.costs)));
                score += normalised_area(f).value_or(0);
              }
              if (score > best) {
                best = score;
                scale = s;
              }
            }
            weights = scaled(scale);
            const auto means = column_means(trial.validation_losses);
            prediction out{
                stacking::mix(detail::predictions_of(candidates, trial), row(means, 0), weights, rows(trial.test_x)),
                column_means(trial.validation_costs)};
            out.chosen = detail::text("scale ", scale);
            for (std::size_t c = 0; c < candidates.size(); ++c)
              out.weights.emplace_back(candidates[c].name, weights[c]);
            return out;
          }};
}

}  // namespace uniroute
