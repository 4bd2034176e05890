#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/concepts/stateful.hpp>

namespace uniroute {

/// What an LLM will cost on a prompt, as far as can be known before it answers.
///
/// Semantics: `set_validation(p, x)` comes with the predictor's own and empties the pool; `enroll(costs)` adds one LLM
/// by its costs on the validation prompts, `enroll(cost)` by one number; `retire(j)` and `reprice(j, cost)` name it by
/// its index; `size()` is the number of LLMs. `estimate(p, x, out)` writes one cost per model, each finite and at least
/// 0; it is const, thread-safe and allocates nothing after the first call on a thread. Satisfied by: mean_cost (any
/// predictor), cell_cost (cell-based predictors).
template <class C, class Predictor>
concept cost_estimate_for = stateful<C> &&
    requires(C& c, const C& fitted, const Predictor& p, const embedding_matrix& x, embedding_view one,
             std::span<const double> costs, double cost, std::size_t model, std::span<double> out) {
  c.set_validation(p, x);
  c.enroll(costs);
  c.enroll(cost);
  c.retire(model);
  c.reprice(model, cost);
  fitted.estimate(p, one, out);
  { fitted.size() } -> std::convertible_to<std::size_t>;
};

}  // namespace uniroute
