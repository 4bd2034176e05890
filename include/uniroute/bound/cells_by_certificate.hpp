#pragma once

// K, or any choice among routers, by what can be promised of each: the smallest upper bound on its held-out J.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Which candidate, and what is promised of all: with probability 1 − δ, J of candidate g is in bounds[g] for all g at
/// once, and so that of the chosen one. An approximation that falls with K meets an estimation that grows with it here.
struct certified_choice {
  std::size_t index = 0;         ///< of the least upper bound; ties to the earlier candidate (put small K first)
  std::vector<interval> bounds;  ///< of J = E[ℓ + λ c], simultaneous
  std::vector<double> means;     ///< over the sample
};

/// From the least and the most that ℓ + λ c of each candidate can have been on held-out prompts (n x G each, in
/// [0, largest]; they differ where an outcome is missing): lower ends come from the least, upper ends from the most;
/// δ / G each. `means` are those of the most.
/// Throws std::invalid_argument for shapes and a delta outside (0, 1), std::domain_error for values.
template <class Interval = betting>
certified_choice cells_by_certificate(const matrix<double>& least, const matrix<double>& most, double largest,
                                      double delta) {
  constexpr auto where = "cells_by_certificate";
  static_assert(interval_for<Interval, bounded_loss> && finite_sample_guarantee<Interval>,
                "cells_by_certificate: Interval must hold for bounded losses at every sample size (betting, "
                "empirical_bernstein, hoeffding): J is graded even where losses are 0 or 1");
  detail::check_delta(where, delta);
  detail::require(most.size() != 0 && least.shape() == most.shape(), where, ": realised is ", rows(least), " x ",
                  columns(least), " and ", rows(most), " x ", columns(most),
                  ", but must be of one shape, at least 1 x 1");
  detail::require(largest > 0, where, ": largest is ", largest, ", but must be above 0");
  for (std::size_t i = 0; i < most.size(); ++i) {
    const double low = least.data()[i], high = most.data()[i];
    detail::require<std::domain_error>(low >= 0 && low <= high && high <= largest * (1 + 1e-12), where,
                                       ": a value is from ", low, " to ", high, ", but must be from 0 to ", largest);
  }
  certified_choice out;
  const double part = delta / static_cast<double>(columns(most));
  for (std::size_t g = 0; g < columns(most); ++g) {
    const std::vector<double> low = column(least, g), high = column(most, g);
    double sum = 0;
    for (const double value : high) sum += value;
    out.means.push_back(sum / static_cast<double>(high.size()));
    out.bounds.push_back(detail::interval_between<Interval>(low, high, 0, largest, part));
    if (out.bounds[g].upper < out.bounds[out.index].upper) out.index = g;
  }
  return out;
}

/// The same where nothing is missing.
template <class Interval = betting>
certified_choice cells_by_certificate(const matrix<double>& realised, double largest, double delta) {
  return cells_by_certificate<Interval>(realised, realised, largest, delta);
}

/// The same for fitted and enrolled routers of one type, say one per K, and a Lagrangian price. A missing chosen
/// outcome counts as 0 at lower ends and as 1 at upper ends and in the means. Throws also as `certify_held_out`.
template <class Interval = betting, class Router, class Sample>
certified_choice cells_by_certificate(std::span<const Router> candidates, Sample&& sample, double lambda, double delta,
                                      std::optional<double> largest_cost = {}) {
  detail::require_handed_over<Sample>();
  static_assert(detail::is_held_out<std::remove_cvref_t<Sample>>,
                "cells_by_certificate: the sample must be held_out{table}");
  certified_choice out;
  if constexpr (detail::is_handed_over<Sample>) {
    const auto spent = std::move(sample);
    detail::require(!candidates.empty(), "cells_by_certificate: candidates has 0 entries, but must have at least 1");
    auto least = make_matrix<double>(spent.table().size(), candidates.size()), most = least;
    double largest = 1;
    for (std::size_t g = 0; g < candidates.size(); ++g) {
      const auto s = detail::realise("cells_by_certificate", candidates[g], spent.table(), lambda, largest_cost);
      largest = std::max(largest, 1 + lambda * s.largest_cost);
      for (std::size_t i = 0; i < rows(s.losses); ++i) {
        const double loss = s.losses(i, s.choices[i]), price = lambda * s.costs(i, s.choices[i]);
        least(i, g) = detail::or_else(loss, 0) + price;
        most(i, g) = detail::or_else(loss, 1) + price;
      }
    }
    out = cells_by_certificate<Interval>(least, most, largest, delta * spent.share());
  }
  return out;
}

}  // namespace uniroute
