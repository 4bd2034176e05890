#pragma once

// What every router is drawn beside: methods that do not look at the prompt, and curves that no method could draw.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/experiment/graded_trial.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The prompt-independent mixture on the lower envelope of the pool, chosen on validation (UniRoute's ZeroRouter).
inline routing_method zero_router() {
  return {"zero_router",
          [](const trial_data& trial) {
            return prediction{column_means(trial.validation_losses), column_means(trial.validation_costs)};
          },
          method_role::reference,
          "the best mixture of LLMs that does not look at the prompt: what there is to gain over"};
}

/// The index of the most accurate LLM on validation; ties to the lower cost. Entries of `losses` and `costs`: 1 x M.
inline std::size_t most_accurate(const loss_matrix& losses, const cost_matrix& costs) {
  return detail::least_objective(row(losses, 0), row(costs, 0), 0);
}

namespace detail {

/// Always model `h`: one point, whatever λ.
inline prediction always(std::size_t h, const cost_matrix& costs) {
  prediction out{make_matrix<double>(1, columns(costs), 1.0), make_matrix<double>(1, columns(costs), 0.0)};
  out.losses(0, h) = 0;
  return out;
}

}  // namespace detail

/// The most accurate LLM on validation, for every prompt.
inline routing_method best_single() {
  return {"best_single",
          [](const trial_data& trial) {
            const cost_matrix costs = column_means(trial.validation_costs);
            return detail::always(most_accurate(column_means(trial.validation_losses), costs), costs);
          },
          method_role::reference, "the most accurate LLM of validation, for every prompt"};
}

/// The cheapest LLM on validation, for every prompt.
inline routing_method cheapest() {
  return {"cheapest",
          [](const trial_data& trial) {
            const cost_matrix costs = column_means(trial.validation_costs);
            const auto least = std::min_element(costs.begin(), costs.end());
            return detail::always(static_cast<std::size_t>(least - costs.begin()), costs);
          },
          method_role::reference, "the cheapest LLM of validation, for every prompt"};
}

/// Any LLM of the pool with equal probability: one point, in expectation.
inline deferral_curve random_choice(const loss_matrix& losses, const cost_matrix& costs) {
  curve_point mean{0, 0, 0, 0};
  const auto models = single_models(losses, costs);
  for (const auto& m : models) {
    mean.cost += m.cost / static_cast<double>(models.size());
    mean.quality += m.quality / static_cast<double>(models.size());
    mean.coverage += m.coverage / static_cast<double>(models.size());
  }
  deferral_curve out;
  out.points.push_back(mean);
  return out;
}

/// Routing on the outcomes themselves, in hindsight: no router can be better (on a table, most of its lead is luck that
/// no router can know). A missing outcome counts as its model's mean.
inline deferral_curve hindsight_oracle(const loss_matrix& losses, const cost_matrix& costs) {
  loss_matrix known = losses;
  const auto means = column_means(losses);
  for (std::size_t i = 0; i < rows(known); ++i) {
    for (std::size_t h = 0; h < columns(known); ++h) {
      if (is_missing(known(i, h))) known(i, h) = means(0, h);
    }
  }
  return trace_curve(known, costs, losses, costs);
}

/// The router's own shares of models at each λ, but given to prompts at random: what is left of a curve when it no
/// longer looks at the prompt. `curve` must hold shares.
inline deferral_curve shuffled_choices(const deferral_curve& curve, const loss_matrix& losses,
                                       const cost_matrix& costs) {
  detail::require(rows(curve.shares) == curve.points.size() && columns(curve.shares) == columns(losses),
                  "shuffled_choices: the curve has no shares, but must be traced with them");
  const auto models = single_models(losses, costs);
  deferral_curve out;
  for (std::size_t p = 0; p < curve.points.size(); ++p) {
    curve_point point{curve.points[p].lambda, 0, 0, 0};
    for (std::size_t h = 0; h < models.size(); ++h) {
      const double share = static_cast<double>(curve.shares(p, h));
      point.cost += share * models[h].cost;
      point.quality += share * models[h].quality;
      point.coverage += share * models[h].coverage;
    }
    out.points.push_back(point);
  }
  return out;
}

/// A curve that is drawn with the test outcomes in hand, beside the methods that are not shown them.
struct reference_curve {
  std::string name;
  std::function<deferral_curve(const graded_trial&)> trace;
  method_role role = method_role::reference;
  std::string about = {};  ///< one line for the glossary of a report
};

/// Random choices, and the oracle in hindsight.
inline std::vector<reference_curve> standard_references() {
  return {{"random", [](const graded_trial& t) { return random_choice(t.losses, t.costs); }, method_role::reference,
           "each LLM with the same probability"},
          {"oracle", [](const graded_trial& t) { return hindsight_oracle(t.losses, t.costs); },
           method_role::upper_bound, "knows every outcome in hindsight, luck included: no router can reach it"}};
}

/// `shuffled_choices` of a method: its own shares of LLMs, given to prompts at random.
inline reference_curve cost_matched(routing_method method) {
  std::string about = method.name + "'s own shares of LLMs, given to prompts at random";
  return {"cost_matched_mixture",
          [method = std::move(method)](const graded_trial& t) {
            const auto curve = trace_prediction(predict_once(method, t.seen), t.losses, t.costs, {.shares = true});
            return shuffled_choices(curve, t.losses, t.costs);
          },
          method_role::reference, std::move(about)};
}

/// Routing on γ*, for worlds that know it: what the best router would do. Throws std::invalid_argument where a trial
/// does not have it.
inline reference_curve bayes_oracle() {
  return {"oracle_bayes",
          [](const graded_trial& t) {
            detail::require(t.bayes.size() != 0, "bayes_oracle: the trial has no expected losses, but must have them");
            return trace_curve(t.bayes, t.costs, t.losses, t.costs);
          },
          method_role::upper_bound, "knows every LLM's probability of being wrong: the best that a router could be"};
}

}  // namespace uniroute
