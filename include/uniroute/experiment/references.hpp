#pragma once

// What every router is drawn beside.

#include <algorithm>
#include <cstddef>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/route/lagrangian_rule.hpp>

namespace uniroute {

/// The prompt-independent mixture on the lower envelope of the pool, chosen on validation (UniRoute's ZeroRouter).
inline routing_method zero_router() {
  return {"zero_router", [](const trial_data& trial) {
            return prediction{column_means(trial.validation_losses), column_means(trial.validation_costs)};
          }};
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
  return {"best_single", [](const trial_data& trial) {
            const cost_matrix costs = column_means(trial.validation_costs);
            return detail::always(most_accurate(column_means(trial.validation_losses), costs), costs);
          }};
}

/// The cheapest LLM on validation, for every prompt.
inline routing_method cheapest() {
  return {"cheapest", [](const trial_data& trial) {
            const cost_matrix costs = column_means(trial.validation_costs);
            const auto least = std::min_element(costs.begin(), costs.end());
            return detail::always(static_cast<std::size_t>(least - costs.begin()), costs);
          }};
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

}  // namespace uniroute
