#pragma once

// Methods for predictors that cannot enrol an LLM: trained again, in every trial, on all that is observed.

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/observed.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// Training prompts on validation prompts; the seen LLMs, then those unseen ones that are not among them; `missing`
/// where an LLM was not run.
struct stacked_trial {
  embedding_matrix x;
  loss_matrix losses;
  std::vector<std::size_t> unseen;  ///< the column of each unseen LLM
};

/// `unseen_train`: the unseen LLMs' losses on the training prompts, or empty.
inline stacked_trial stack_trial(const trial_data& trial, const loss_matrix& unseen_train) {
  const std::size_t n = rows(trial.train_x), v = rows(trial.validation_x), d = columns(trial.validation_x);
  stacked_trial out;
  std::size_t models = trial.seen.size();
  for (const auto& name : trial.unseen) {
    const auto found = std::find(trial.seen.begin(), trial.seen.end(), name);
    out.unseen.push_back(found == trial.seen.end() ? models++ : static_cast<std::size_t>(found - trial.seen.begin()));
  }
  out.x = make_matrix<float>(n + v, d);
  std::copy(trial.train_x.begin(), trial.train_x.end(), out.x.begin());
  std::copy(trial.validation_x.begin(), trial.validation_x.end(), out.x.begin() + static_cast<std::ptrdiff_t>(n * d));
  out.losses = make_matrix<double>(n + v, models, missing);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < trial.seen.size(); ++h) out.losses(i, h) = trial.train_losses(i, h);
    for (std::size_t h = 0; h < columns(unseen_train); ++h) out.losses(i, out.unseen[h]) = unseen_train(i, h);
  }
  for (std::size_t i = 0; i < v; ++i) {
    for (std::size_t h = 0; h < out.unseen.size(); ++h)
      out.losses(n + i, out.unseen[h]) = trial.validation_losses(i, h);
  }
  return out;
}

template <class Make>
prediction predict_retrained(const Make& make, const trial_data& trial, const loss_matrix& unseen_train) {
  const stacked_trial all = stack_trial(trial, unseen_train);
  auto model = make(trial);
  model.fit(all.x, all.losses);
  std::vector<std::size_t> test(rows(trial.test_x));
  std::iota(test.begin(), test.end(), std::size_t{0});
  return {take(model.predict(trial.test_x), test, all.unseen), column_means(trial.validation_costs)};
}

template <class Make>
inline constexpr bool makes_retrained_predictor = predictor<std::invoke_result_t<const Make&, const trial_data&>> &&
                                                  !pool_adaptive<std::invoke_result_t<const Make&, const trial_data&>>;

}  // namespace detail

/// The method that trains `make(trial)`, a predictor that is not pool_adaptive, on the seen LLMs' training outcomes and
/// the unseen LLMs' validation outcomes together, in every trial. Costs are the means of the validation prompts.
/// In a static pool an LLM has one column, with its training and its validation outcomes.
template <class Make>
routing_method retrained_method(std::string name, Make make) {
  static_assert(
      detail::makes_retrained_predictor<Make>,
      "retrained_method: Make(trial) must return a predictor that is not pool_adaptive: it is trained on every "
      "LLM's column at once; an LLM joins a pool_adaptive one by enroll, which predictor_method does");
  return {std::move(name), [make = std::move(make)](const trial_data& trial) {
            return detail::predict_retrained(make, trial, make_matrix<double>(0, 0));
          }};
}

/// The same, trained on the unseen LLMs' training outcomes as well, which no router can have: an upper reference for
/// what the prompts say of the LLMs. It never reads test outcomes.
/// The method throws std::invalid_argument where the trial has no clairvoyant outcomes: without
/// `protocol_options::clairvoyant`, and when treated as a candidate on seen LLMs.
template <class Make>
routing_method clairvoyant_method(std::string name, Make make) {
  static_assert(detail::makes_retrained_predictor<Make>,
                "clairvoyant_method: Make(trial) must return a predictor that is not pool_adaptive: it is trained on "
                "every LLM's column at once");
  return {name,
          [name, make = std::move(make)](const trial_data& trial) {
            detail::require(rows(trial.clairvoyant_losses) == rows(trial.train_x) &&
                                columns(trial.clairvoyant_losses) == trial.unseen.size(),
                            "clairvoyant_method: clairvoyant_losses of '", name, "' has ",
                            rows(trial.clairvoyant_losses),
                            " rows, but must have one for each training prompt "
                            "(protocol_options::clairvoyant)");
            return detail::predict_retrained(make, trial, trial.clairvoyant_losses);
          },
          method_role::upper_bound, "", true};
}

}  // namespace uniroute
