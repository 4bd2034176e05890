#pragma once

// Several methods of an experiment mixed by how well they do on seen LLMs treated as new.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/rehearsal.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/predict/stacking.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How `stacked_on_seen` finds its weights and their scale.
struct stacked_on_seen_options {
  seen_as_new_options rehearsals = {};
  double prior = 0;  ///< of equal weights: see stacking::weights
  /// Candidates for a factor of all weights. A mixture that is right on average still loses area where it moves between
  /// LLMs on weak evidence.
  std::vector<double> scales = {0.5, 0.75, 1};
};

namespace detail {

inline std::vector<const loss_matrix*> predictions_of(std::span<const routing_method> methods,
                                                      const trial_data& trial) {
  std::vector<const loss_matrix*> out;
  for (const auto& method : methods) {
    out.push_back(&predict_once(method, trial).losses);
    require(out.back()->size() != 0, "stacked_on_seen: method '", method.name,
            "' decides without predicting losses, but must predict them to be mixed");
  }
  return out;
}

/// Scores a rehearsal by the nArea of a mixture (default convention); 0 where it is undefined.
inline double area_of_mixture(std::span<const routing_method> candidates, const rehearsal& r,
                              std::span<const double> weights) {
  const auto means = column_means(r.trial.validation_losses);
  const auto mixed = stacking::mix(predictions_of(candidates, r.trial), row(means, 0), weights, rows(r.losses));
  const auto curve = trace_curve(mixed, column_means(r.trial.validation_costs), r.losses, r.costs);
  return normalised_area(curve_function(curve, range_of(single_models(r.losses, r.costs)))).value_or(0);
}

inline std::vector<double> scaled(std::vector<double> weights, double by) {
  for (double& w : weights) w *= by;
  return weights;
}

struct stack_choice {
  double scale = 1;
  std::vector<double> weights;  ///< times the scale
};

/// Weights of the candidates: those of all rehearsals, times the scale of the best mean area. Each rehearsal is judged
/// with weights found on the others, so that a mixture of noise is found out: where it spares no squared error, the
/// scale is 0. (Area alone would tell, but with a noise that drops signals of real tables too.)
inline stack_choice stack_on(const std::vector<rehearsal>& rehearsals, std::span<const routing_method> candidates,
                             const stacked_on_seen_options& options) {
  std::vector<stacking> parts;
  stacking whole(candidates.size());
  for (const auto& r : rehearsals) {
    const auto means = column_means(r.trial.validation_losses);
    parts.emplace_back(candidates.size()).add(predictions_of(candidates, r.trial), row(means, 0), r.losses);
    whole.add(parts.back());
  }
  const auto weights = whole.weights(options.prior);
  const auto chosen = [&](double scale) { return stack_choice{scale, scaled(weights, scale)}; };
  const auto of_others = weights_of_others(parts, options.prior);
  if (!(error_spared(parts, of_others) > 0)) return chosen(0);
  if (options.scales.size() == 1) return chosen(options.scales.front());
  std::vector<double> scores(options.scales.size(), 0.0);
  for (std::size_t r = 0; r < parts.size(); ++r) {
    for (std::size_t s = 0; s < scores.size(); ++s)
      scores[s] += area_of_mixture(candidates, rehearsals[r], scaled(of_others[r], options.scales[s]));
  }
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  return chosen(options.scales[static_cast<std::size_t>(best)]);
}

}  // namespace detail

/// γ̂ = μ(h) + s Σ_m w_m (γ̂_m(x, h) − μ(h)): w by `stacking` on the rehearsals, s the scale of the best mean nArea
/// there under weights of the other rehearsals; ties to the smaller; 0 where those weights spare no squared error. From
/// the trial's training prompts and seen LLMs alone, and it is also the guard: where the seen LLMs show no signal, what
/// is left is ZeroRouter. Throws std::invalid_argument for no candidates or no scales, a scale outside [0, ∞), and for
/// too few LLMs or prompts.
inline routing_method stacked_on_seen(std::string name, std::vector<routing_method> candidates,
                                      stacked_on_seen_options options = {}) {
  detail::require(!candidates.empty() && !options.scales.empty(), "stacked_on_seen: candidates has ", candidates.size(),
                  " and scales has ", options.scales.size(), " entries, but must have at least 1");
  for (const double s : options.scales)
    detail::require(s >= 0 && std::isfinite(s), "stacked_on_seen: a scale is ", s,
                    ", but must be finite and at least 0");
  std::sort(options.scales.begin(), options.scales.end());
  return {std::move(name), [candidates = std::move(candidates), options](const trial_data& trial) {
            const auto stack = detail::stack_on(rehearsals_of(trial, options.rehearsals), candidates, options);
            const auto means = column_means(trial.validation_losses);
            prediction out{stacking::mix(detail::predictions_of(candidates, trial), row(means, 0), stack.weights,
                                         rows(trial.test_x)),
                           column_means(trial.validation_costs)};
            out.chosen = detail::text("scale ", stack.scale);
            for (std::size_t c = 0; c < candidates.size(); ++c)
              out.weights.emplace_back(candidates[c].name, stack.weights[c]);
            return out;
          }};
}

}  // namespace uniroute
