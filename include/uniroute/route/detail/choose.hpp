#pragma once

// One prompt's choice: what a rule is shown, and when a batch's prediction will do.

#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/choice.hpp>
#include <uniroute/route/detail/router_pool.hpp>

namespace uniroute::detail {

/// Batch predictions are within this of those of one prompt (concepts/predictor.hpp).
inline constexpr double batch_tolerance = 1e-6;

/// A hash of the prompt, unless the rule says that it reads none: hashing costs more than choosing.
template <class Rule>
std::uint64_t key_of(embedding_view x) noexcept {
  if constexpr (requires { requires !Rule::reads_key; }) {
    return 0;
  } else {
    return hash_bytes(x.data(), x.size() * sizeof(float));
  }
}

/// The losses and costs of `work` in alphabetical order, so that ties do not see the order of enrolment.
template <class Rule>
candidates<> in_order(const router_pool& pool, embedding_view x, routing_workspace& work) {
  pool.sort(work.losses, work.sorted_losses);
  pool.sort(work.costs, work.sorted_costs);
  return {work.sorted_losses, work.sorted_costs, key_of<Rule>(x)};
}

/// The choice by canonical losses, those of one prompt, which replace the losses in `work`.
template <class Predictor, class Rule>
std::size_t choice_of_one(const Predictor& predictor, const Rule& rule, const router_pool& pool, embedding_view x,
                          routing_workspace& work) {
  predictor.predict(x, std::span<double>(work.losses));
  return pool.at(rule.choose(in_order<Rule>(pool, x, work)));
}

/// The same choice from the losses of a batch in `work`, where the rule says that their error cannot change it.
template <class Predictor, class Rule>
std::size_t choice_in_batch(const Predictor& predictor, const Rule& rule, const router_pool& pool, embedding_view x,
                            routing_workspace& work) {
  if constexpr (requires(const Rule& r, const candidates<>& c) { r.margin(c); }) {
    const candidates<> c = in_order<Rule>(pool, x, work);
    if (rule.margin(c) > 2 * batch_tolerance) return pool.at(rule.choose(c));
  }
  return choice_of_one(predictor, rule, pool, x, work);
}

}  // namespace uniroute::detail
