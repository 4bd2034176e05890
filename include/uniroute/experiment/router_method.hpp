#pragma once

// A whole router in an experiment: its own encoder, map, rule and cost policy.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/trace_router.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/trial.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// A part of a trial as the table that a router's members take.
inline routing_table table_of(std::string name, const embedding_matrix& x, const prompt_records& prompts,
                              const loss_matrix& losses, const cost_matrix& costs,
                              const std::vector<std::string>& models) {
  routing_table_parts parts{.name = std::move(name),
                            .ids = {prompts.ids.begin(), prompts.ids.end()},
                            .prompts = {prompts.texts.begin(), prompts.texts.end()},
                            .categories = {prompts.categories.begin(), prompts.categories.end()},
                            .models = {},
                            .losses = losses,
                            .costs = costs,
                            .embeddings = x};
  for (std::size_t i = 0; parts.ids.empty() && i < rows(x); ++i) parts.ids.push_back(text(parts.name, " ", i));
  for (const auto& model : models) parts.models.push_back({.name = model});
  return routing_table(std::move(parts));
}

template <class Router>
concept composed_router = requires {
  typename Router::reader_type;
  typename Router::rule_type;
  requires pool_adaptive<typename Router::predictor_type>;
};

}  // namespace detail

/// The method that fits `make(trial)`, a `router` that is not fitted yet, on the training prompts, enrols the unseen
/// LLMs on the validation prompts at their observed costs, and sweeps its rule: λ for a `lagrangian_rule`, what a
/// `swept_rule` says, else the one point that the router is. Rules that have to be calibrated see the validation
/// prompts. An encoder is fitted on the texts of the training prompts; the method throws std::invalid_argument where
/// the trial has none.
template <class Make>
routing_method router_method(std::string name, Make make) {
  using router_type = std::remove_cvref_t<std::invoke_result_t<const Make&, const trial_data&>>;
  static_assert(detail::composed_router<router_type>,
                "router_method: Make(trial) must return a uniroute::router whose predictor is pool_adaptive: the LLMs "
                "of a trial were not seen when it was fitted, so that they have to be enrolled");
  return {
      name, [name, make = std::move(make)](const trial_data& trial) {
        router_type router = make(trial);
        if constexpr (encoder<typename router_type::reader_type>) {
          detail::require(!trial.train.texts.empty() || rows(trial.train_x) == 0, "router_method: the router of '",
                          name, "' reads texts, but the prompts of the trial have none");
        }
        router.fit(detail::table_of("training", trial.train_x, trial.train, trial.train_losses, trial.train_costs,
                                    trial.seen));
        const auto validation = detail::table_of("validation", trial.validation_x, trial.validation,
                                                 trial.validation_losses, trial.validation_costs, trial.unseen);
        router.enroll(validation, trial.unseen);
        const auto test_x = [&]() -> embedding_matrix {
          if constexpr (encoder<typename router_type::reader_type>) {
            return router.reader().encode(std::vector<std::string>(trial.test.texts.begin(), trial.test.texts.end()));
          } else {
            return trial.test_x;
          }
        }();
        prediction out{router.predict(test_x), {}};
        if constexpr (detail::has_lagrangian_rule<router_type>) {
          out.costs = detail::weighed(router.estimate_costs(test_x), router.rule());
        } else {
          out.decided = decide_along(router, test_x, embed(router.reader(), validation));
        }
        return out;
      }};
}

}  // namespace uniroute
