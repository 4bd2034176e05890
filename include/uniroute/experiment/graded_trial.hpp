#pragma once

// One trial with what methods may not see.

#include <array>
#include <cstddef>
#include <uniroute/arrays.hpp>
#include <uniroute/experiment/trial.hpp>

namespace uniroute {

/// A trial and the outcomes that grade it. Given to whoever grades (`reference_curve`, metrics), never to a method.
struct graded_trial {
  trial_data seen;                                 ///< what methods get
  loss_matrix losses = make_matrix<double>(0, 0);  ///< test prompts x unseen LLMs, missing allowed
  cost_matrix costs = make_matrix<double>(0, 0);   ///< the same, realised
  loss_matrix bayes = make_matrix<double>(0, 0);   ///< γ* of the same; 0 x 0 where nobody knows it
  std::array<std::size_t, 3> sizes{};              ///< training, validation and test prompts
  std::size_t dropped = 0;                         ///< LLMs left out for want of any observed outcome
};

}  // namespace uniroute
