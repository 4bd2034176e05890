#pragma once

// Ladders against the best rule of a class: the comparator certificate takes any policy at all.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/bound/comparators.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/detail/comparison_sample.hpp>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/trace_ladder.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Certifies what a ladder did on held-out prompts, which are spent, against the best rule of a class that asks one LLM
/// a prompt: with probability `level` J(ladder) − min J <= bound, J = E[ℓ of the kept answer + λ · all that was paid].
/// The ladder, its judge's settings and what they were fitted on must not know the sample. `run`: of `run_ladder` on
/// the sample's prompts, LLMs numbered as in `models`. `options.largest_cost` must be declared where λ is above 0: no
/// LLM and no ladder's total is above it. The sample must have embeddings where the class has cells. Proof:
/// docs/theory.md, Theorem 10, which asks nothing of the policy. Throws as `certify_against`, and std::invalid_argument
/// for a run of other sizes.
template <class Sample, class Comparators>
comparator_certificate certify_ladder(const ladder_run& run, std::span<const std::string> models, Sample&& sample,
                                      const Comparators& comparators, confidence_level level,
                                      const certify_against_options& options) {
  constexpr auto where = "certify_ladder";
  detail::require_handed_over<Sample>();
  static_assert(
      detail::is_held_out<std::remove_cvref_t<Sample>>,
      "certify_ladder: the sample must be held_out{table}: what is promised holds on prompts that nothing was "
      "fitted, enrolled or chosen on, and the type says so");
  static_assert(detail::comparator_class<Comparators>,
                "certify_ladder: Comparators must be a class of rules that is fixed beforehand: against::best_single, "
                "against::cells{clustering}, against::every_rule or against::rules");
  comparator_certificate out;
  if constexpr (detail::is_handed_over<Sample> && detail::comparator_class<Comparators>) {
    const auto spent = std::move(sample);
    const auto& table = spent.table();
    const std::size_t n = table.size(), m = models.size();
    detail::require(n != 0 && m != 0, where, ": the table has ", n, " prompts and there are ", m,
                    " models, but must be at least 1 of each");
    detail::require(run.kept.choices.size() == n && run.kept.costs.size() == n, where, ": the run has ",
                    run.kept.choices.size(), " answers and ", run.kept.costs.size(),
                    " costs, but must have one for each prompt of the sample, ", n);
    const double lambda = options.lambda.value_or(0), largest = options.largest_cost.value_or(0);
    detail::require(lambda >= 0 && std::isfinite(lambda), where, ": lambda is ", lambda,
                    ", but must be finite and at least 0");
    detail::require(lambda == 0 || (options.largest_cost && largest >= 0 && std::isfinite(largest)), where,
                    ": largest_cost is ", largest,
                    ", but must be declared, finite and at least 0 where lambda is above 0");
    detail::require(options.weights.empty(), where, ": weights has ", options.weights.size(),
                    " entries, but must have none");
    std::vector<std::size_t> all(n), columns_of;
    std::iota(all.begin(), all.end(), std::size_t{0});
    for (const auto& model : models) columns_of.push_back(table.model_index(model));
    const auto losses = take(table.losses(), all, columns_of);
    const auto costs = take(table.costs(), all, columns_of);
    detail::gathered_differences of;
    of.lambda = lambda;
    of.range = 1 + lambda * largest;
    of.difference = make_matrix<double>(n, m);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t kept = run.kept.choices[i];
      const double paid = run.kept.costs[i];
      detail::require(kept < m, where, ": an answer is of LLM ", kept, ", but must be of one below ", m);
      detail::require<std::domain_error>(lambda == 0 || paid <= largest, where, ": what was paid for prompt ", i,
                                         " is ", paid, ", but must be at most the declared largest, ", largest);
      of.missing += is_missing(losses(i, kept)) ? 1u : 0u;
      for (std::size_t h = 0; h < m; ++h) {
        detail::require<std::domain_error>(lambda == 0 || costs(i, h) <= largest, where, ": a cost of model '",
                                           models[h], "' is ", costs(i, h),
                                           ", but must be at most the declared largest, ", largest);
        const double loss = h == kept ? 0 : detail::or_else(losses(i, kept), 1) - detail::or_else(losses(i, h), 0);
        of.difference(i, h) = loss + (lambda == 0 ? 0 : lambda * (paid - costs(i, h)));
      }
    }
    if (table.has_embeddings()) of.x = table.embeddings();
    detail::comparison_sample s{of.difference, {}, 0, of.range, make_matrix<double>(0, 0)};
    detail::set_class(where, comparators, of.x, s);
    detail::require(s.cells.size() == n, where, ": the table has no embeddings, but must have them for cells");
    out = detail::describe(s, detail::bound_against(s, level.delta() * spent.share()), level, of, options);
  }
  return out;
}

/// Refused with a sentence: certificates of cells are of routers.
template <class Interval, ladder Ladder, class Loss, class... Rest>
certificate certify(const Ladder&, const basic_routing_table<Loss>&, confidence_level, const Rest&...) {
  static_assert(
      detail::accepted<Ladder>,
      "certify: a ladder has no choice in a cell, it sees answers first: certify_ladder bounds it against the "
      "best rule of any class");
  return {};
}

}  // namespace uniroute
