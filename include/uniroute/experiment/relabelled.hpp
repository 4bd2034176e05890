#pragma once

// A method that learns from other labels than outcomes.

#include <cstddef>
#include <functional>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/trial.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Labels in place of losses, prompts x LLMs in [0, 1], smaller is better: a preference, an agreement, a judge's grade.
/// `missing` allowed. Gets the prompts and the LLMs by name, and their outcomes, which it need not read.
using label_source = std::function<loss_matrix(const prompt_records& prompts, const std::vector<std::string>& models,
                                               const loss_matrix& outcomes)>;

/// `method`, taught from labels: training and validation outcomes are replaced, the test's never. Throws
/// std::invalid_argument for labels of another shape.
inline routing_method relabelled(std::string name, routing_method method, label_source labels) {
  routing_method out = method;
  out.name = std::move(name);
  out.predict = [method = std::move(method), labels = std::move(labels)](const trial_data& trial) {
    trial_data taught = trial;
    const auto set = [&](loss_matrix& of, const prompt_records& prompts, const std::vector<std::string>& models) {
      loss_matrix now = labels(prompts, models, of);
      detail::require(now.shape() == of.shape(), "relabelled: labels are ", rows(now), " x ", columns(now),
                      ", but must be ", rows(of), " x ", columns(of));
      of = std::move(now);
    };
    set(taught.train_losses, trial.train, trial.seen);
    set(taught.validation_losses, trial.validation, trial.unseen);
    return method.predict(taught);
  };
  return out;
}

}  // namespace uniroute
