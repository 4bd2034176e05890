#pragma once

// One trial of an experiment as a method may see it: everything but the outcomes of the test prompts.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What a method learns from. Test outcomes and realised test costs are not in it.
struct trial_data {
  std::uint64_t seed = 0;                                     ///< for the method's own draws
  bool static_pool = false;                                   ///< seen and unseen are the same LLMs
  embedding_matrix train_x, validation_x, test_x;             ///< n x D each
  loss_matrix train_losses = make_matrix<double>(0, 0);       ///< training prompts x seen LLMs
  cost_matrix train_costs = make_matrix<double>(0, 0);        ///< training prompts x seen LLMs
  loss_matrix validation_losses = make_matrix<double>(0, 0);  ///< validation prompts x unseen LLMs
  cost_matrix validation_costs = make_matrix<double>(0, 0);   ///< validation prompts x unseen LLMs
  std::vector<std::string> seen, unseen;                      ///< names
  /// What no router can have: the unseen LLMs' outcomes on the training prompts, for `clairvoyant_method` and nobody
  /// else. Empty unless `protocol_options::clairvoyant`; never test outcomes; always empty in rehearsals on seen LLMs.
  loss_matrix clairvoyant_losses = make_matrix<double>(0, 0);
};

/// What a method says of the test prompts and the unseen LLMs; one row if it does not depend on the prompt.
struct prediction {
  loss_matrix losses = make_matrix<double>(0, 0);
  cost_matrix costs = make_matrix<double>(0, 0);
  std::string chosen = {};  ///< hyper-parameters that the method chose, for the report
};

/// A named function of a trial. It must be deterministic in the trial and safe to call from several threads.
struct routing_method {
  std::string name;
  std::function<prediction(const trial_data&)> predict;
};

/// The mean of each column, over what is observed; `otherwise` where nothing is. 1 x M.
inline matrix<double> column_means(const matrix<double>& values, double otherwise = 0.5) {
  auto out = make_matrix<double>(1, columns(values), otherwise);
  for (std::size_t j = 0; j < columns(values); ++j) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < rows(values); ++i) {
      if (is_missing(values(i, j))) continue;
      sum += values(i, j);
      count += 1;
    }
    if (count > 0) out(0, j) = sum / count;
  }
  return out;
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
