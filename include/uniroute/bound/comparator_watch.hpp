#pragma once

// A comparison that may be looked at after every batch of prompts: the promise holds at all looks at once.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/bound/comparators.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/detail/comparison_sample.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/route/sample_record.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// `certify_against` for prompts that come one batch after another, i.i.d., and a user who looks until satisfied: with
/// probability `level`, J(router) − min over the class is at most `certificate().bound` at every look at once. The
/// capital is a martingale in the order of arrival and Ville's inequality bounds its maximum (docs/theory.md, Theorem
/// 10); bets know no final size, sqrt(2 log(1/δ) / (σ² t log(1 + t))) (Waudby-Smith and Ramdas 2010.09686, section
/// 3.3). Wider than `certify_against` of the same prompts; take it where how many there will be depends on what they
/// say. The router must not change while it is watched: a copy is kept.
template <class Router, class Comparators>
class comparator_watch {
  static_assert(
      detail::comparator_class<Comparators> && !std::same_as<Comparators, against::rules>,
      "comparator_watch: Comparators must be a class of rules that is fixed beforehand: against::best_single, "
      "against::cells{clustering} or against::every_rule (against::rules lists choices for one sample)");

 public:
  /// Throws std::invalid_argument for weights (they belong to one sample).
  comparator_watch(Router router, Comparators comparators, confidence_level level, certify_against_options options = {})
      : router_(std::move(router)), comparators_(std::move(comparators)), level_(level), options_(std::move(options)) {
    detail::require(options_.weights.empty(), "comparator_watch: weights has ", options_.weights.size(),
                    " entries, but must have none");
  }

  /// The next prompts; nothing changes where it throws. They are bet on in the order that a seed draws within the
  /// batch. Throws as `certify_against`, and std::invalid_argument for a prompt that came before.
  template <class Sample>
  void add(Sample&& sample) {
    detail::require_handed_over<Sample>();
    static_assert(detail::is_held_out<std::remove_cvref_t<Sample>>,
                  "comparator_watch: the sample must be held_out{table}: nothing was fitted, enrolled or chosen on it");
    if constexpr (detail::is_handed_over<Sample>) {
      constexpr auto where = "comparator_watch::add";
      const auto& table = sample.table();
      detail::require(sample.share() == 1, where, ": the sample has a share of delta of ", sample.share(),
                      ", but must have all of it: a watch spends delta once for all its prompts");
      detail::check_fresh_sample(where, router_, table);
      detail::require_fresh(where, seen_, table, "this watch", "each prompt counts once");
      const auto of = detail::gather_differences(where, router_, table, options_);
      detail::comparison_sample s{of.difference, {}, 0, of.range, make_matrix<double>(0, 0)};
      detail::set_class(where, comparators_, of.x, s);
      auto seen = seen_.with(table);
      append(s);
      of_.lambda = of.lambda;
      of_.missing += of.missing;
      seen_ = std::move(seen);
      const auto spent = std::move(sample);
    }
  }

  std::size_t prompts() const noexcept { return all_.cells.size(); }  ///< so far

  /// What holds now. O(n M) for each of some eleven steps. Throws std::invalid_argument before the first prompt.
  comparator_certificate certificate() const {
    detail::require(prompts() != 0, "comparator_watch::certificate: there are 0 prompts, but must be at least 1 (add)");
    const std::vector<std::vector<double>> bets{detail::comparator_bets(all_, order_, level_.delta(), 0)};
    std::vector<std::size_t> looks;
    for (std::size_t rows = 1; rows < prompts(); rows += 1 + rows / 8) looks.push_back(rows);
    looks.push_back(prompts());
    return detail::describe(all_, detail::bound_against(all_, order_, bets, looks, level_.delta()), level_, of_,
                            options_);
  }

 private:
  void append(const detail::comparison_sample& s) {
    const std::size_t before = prompts(), models = columns(s.difference);
    auto difference = make_matrix<double>(before + rows(s.difference), models);
    std::copy(all_.difference.begin(), all_.difference.end(), difference.begin());
    std::copy(s.difference.begin(), s.difference.end(),
              difference.begin() + static_cast<std::ptrdiff_t>(before * models));
    all_.difference = std::move(difference);
    all_.cells.insert(all_.cells.end(), s.cells.begin(), s.cells.end());
    all_.count = s.count;
    all_.range = s.range;
    for (const std::size_t i : detail::betting_order(rows(s.difference))) order_.push_back(before + i);
  }

  Router router_;
  Comparators comparators_;
  confidence_level level_;
  certify_against_options options_;
  detail::comparison_sample all_;
  std::vector<std::size_t> order_;  ///< in which rows are bet on: batch after batch
  detail::gathered_differences of_;
  sample_record seen_;
};

}  // namespace uniroute
