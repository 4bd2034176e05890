#pragma once

// A method of an experiment: a named function from a trial to predictions or decisions, and what part it plays.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/trace_router.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/observed.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What part a method plays. Reports read it, and nothing from names.
enum class method_role {
  router,      ///< competes
  reference,   ///< what a router is measured against, such as ZeroRouter, the best single LLM or a random choice
  upper_bound  ///< knows what no router can know: an oracle, or a method that was shown more
};

/// In words, as results.json has it.
constexpr std::string_view name_of(method_role role) noexcept {
  return role == method_role::router ? "router" : role == method_role::reference ? "reference" : "upper_bound";
}

/// What a method says of the test prompts and the unseen LLMs: losses and costs, of which the protocol takes the
/// Lagrangian choice at every λ; or its own decisions, at one or more settings of its rule, and then losses may be 0 x
/// 0; or a ladder, which decides while it sees answers (`ladder_method.hpp`).
struct prediction {
  loss_matrix losses = make_matrix<double>(0, 0);            ///< n x M; one row if it does not depend on the prompt
  cost_matrix costs = make_matrix<double>(0, 0);             ///< the same
  std::string chosen = {};                                   ///< hyper-parameters that the method chose, for the report
  std::vector<std::pair<std::string, double>> weights = {};  ///< of the methods that it mixes, for the report
  std::vector<decisions> decided = {};                       ///< of a rule that is not the Lagrangian one
  /// Of a ladder: its curve on realised losses and costs (n x M), of which it may read an answer once it has paid for
  /// it.
  std::function<deferral_curve(const loss_matrix& losses, const cost_matrix& costs, deferral_curve_options)> trace = {};
};

/// A named function of a trial. It must be deterministic in the trial and safe to call from several threads. Names tell
/// methods apart: one name, one function. "family/option" names a variant, of which reports show the option.
struct routing_method {
  std::string name;
  std::function<prediction(const trial_data&)> predict;
  method_role role = method_role::router;
  std::string about = {};                                       ///< one line for the glossary of a report
  bool clairvoyant = false;                                     ///< asks for `trial_data::clairvoyant_losses`
  std::vector<std::pair<std::string, double>> parameters = {};  ///< by name, for results.json: {"epsilon", 0.1}
};

/// What a method says of a trial, computed once a trial.
inline const prediction& predict_once(const routing_method& method, const trial_data& trial) {
  return trial.memo.get<prediction>("prediction of " + method.name, [&] { return method.predict(trial); });
}

/// The curve of what a method says: its ladder's or its decisions where it has such, else the Lagrangian choices at
/// every λ. `losses` and `costs` are realised, n x M. Throws what `trace_decisions` and `trace_curve` throw.
inline deferral_curve trace_prediction(const prediction& p, const loss_matrix& losses, const cost_matrix& costs,
                                       deferral_curve_options options = {}) {
  if (p.trace) return p.trace(losses, costs, options);
  if (!p.decided.empty()) return trace_decisions(p.decided, losses, costs, options);
  return trace_curve(p.losses, p.costs, losses, costs, options);
}

/// The option of a variant "family/option"; the whole name where there is no slash.
inline std::string option_of(const std::string& name) {
  const auto slash = name.find('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

/// The same method with a line for glossaries.
inline routing_method described(routing_method method, std::string about) {
  method.about = std::move(about);
  return method;
}

/// The method that fits `make(trial)`, a pool_adaptive predictor, on the training prompts and enrols the unseen LLMs.
/// Costs are the means of the validation prompts.
template <class Make>
routing_method predictor_method(std::string name, Make make) {
  static_assert(
      pool_adaptive<std::invoke_result_t<Make&, const trial_data&>>,
      "predictor_method: Make(trial) must return a pool_adaptive predictor: the LLMs of a trial were not seen "
      "when it was fitted, so it needs set_validation, enroll, retire and models");
  return {std::move(name), [make = std::move(make)](const trial_data& trial) {
            auto model = make(trial);
            model.fit(trial.train_x, trial.train_losses);
            model.set_validation(trial.validation_x);
            for (std::size_t h = 0; h < trial.unseen.size(); ++h)
              model.enroll(trial.unseen[h], column(trial.validation_losses, h));
            return prediction{model.predict(trial.test_x), column_means(trial.validation_costs)};
          }};
}

}  // namespace uniroute
