#pragma once

// K, or any choice among routers, by what can be promised of each: the smallest upper bound on its held-out J.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/route/realised.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <vector>

namespace uniroute {

/// Which candidate, and what is promised of all: with probability 1 − δ, J of candidate g is in bounds[g] for all g at
/// once, and so that of the chosen one. An approximation that falls with K meets an estimation that grows with it here.
struct certified_choice {
  std::size_t index = 0;         ///< of the least upper bound; ties to the earlier candidate (put small K first)
  std::vector<interval> bounds;  ///< of J = E[ℓ + λ c], simultaneous
  std::vector<double> means;     ///< over the sample
};

/// From the realised ℓ + λ c of each candidate on held-out prompts (n x G, in [0, largest]); δ / G each.
/// Throws std::invalid_argument for shapes and a delta outside (0, 1), std::domain_error for values.
template <class Interval = betting>
certified_choice cells_by_certificate(const matrix<double>& realised, double largest, double delta) {
  static_assert(interval_for<Interval, bounded_loss> && finite_sample_guarantee<Interval>,
                "cells_by_certificate: Interval must hold for bounded losses at every sample size (betting, "
                "empirical_bernstein, hoeffding): J is graded even where losses are 0 or 1");
  detail::check_delta("cells_by_certificate", delta);
  detail::require(realised.size() != 0, "cells_by_certificate: realised is ", rows(realised), " x ", columns(realised),
                  ", but must be at least 1 x 1");
  detail::require(largest > 0, "cells_by_certificate: largest is ", largest, ", but must be above 0");
  for (const double value : realised)
    detail::require<std::domain_error>(value >= 0 && value <= largest * (1 + 1e-12),
                                       "cells_by_certificate: a value is ", value, ", but must be from 0 to ", largest);
  certified_choice out;
  const double part = delta / static_cast<double>(columns(realised));
  for (std::size_t g = 0; g < columns(realised); ++g) {
    const std::vector<double> values = column(realised, g);
    double sum = 0;
    for (const double value : values) sum += value;
    out.means.push_back(sum / static_cast<double>(values.size()));
    out.bounds.push_back(interval_of<Interval>(values, 0, largest, part));
    if (out.bounds[g].upper < out.bounds[out.index].upper) out.index = g;
  }
  return out;
}

/// The same for fitted and enrolled routers of one type, say one per K, and a Lagrangian price. Missing chosen outcomes
/// count as 1. Throws also as `certify_held_out`.
template <class Interval = betting, class Router, class Loss>
certified_choice cells_by_certificate(std::span<const Router> candidates, const held_out<Loss>& sample, double lambda,
                                      double delta, std::optional<double> largest_cost = {}) {
  detail::require(!candidates.empty(), "cells_by_certificate: candidates has 0 entries, but must have at least 1");
  auto values = make_matrix<double>(sample.table().size(), candidates.size());
  double largest = 1;
  for (std::size_t g = 0; g < candidates.size(); ++g) {
    const auto s = detail::realise("cells_by_certificate", candidates[g], sample.table(), lambda, largest_cost);
    largest = std::max(largest, 1 + lambda * s.largest_cost);
    for (std::size_t i = 0; i < rows(s.losses); ++i) {
      const double loss = s.losses(i, s.choices[i]);
      values(i, g) = (is_missing(loss) ? 1 : loss) + lambda * s.costs(i, s.choices[i]);
    }
  }
  return cells_by_certificate<Interval>(values, largest, delta);
}

}  // namespace uniroute
