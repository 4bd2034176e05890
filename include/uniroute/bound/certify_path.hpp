#pragma once

// Certificates of one router at several prices at once, between them, and without a price.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Certificates of one router at several prices, all at once with probability `level`.
struct comparator_path {
  std::vector<comparator_certificate> at_prices;  ///< by rising λ

  /// The bound at any price between the first and the last: that of a fixed router to the best of a class is convex in
  /// λ, so that the chord is above it. Throws std::invalid_argument outside.
  double bound(double lambda) const {
    detail::require(!at_prices.empty() && lambda >= at_prices.front().lambda && lambda <= at_prices.back().lambda,
                    "comparator_path::bound: lambda is ", lambda, ", but must be between the first price and the last");
    std::size_t after = 0;
    while (at_prices[after].lambda < lambda) ++after;
    if (after == 0 || at_prices[after].lambda == lambda) return at_prices[after].bound;
    const auto &left = at_prices[after - 1], &right = at_prices[after];
    const double t = (lambda - left.lambda) / (right.lambda - left.lambda);
    return (1 - t) * left.bound + t * right.bound;
  }

  /// With the same probability: E ℓ of the router less that of the best rule of the class that costs no more than it,
  /// the least of the bounds at the prices (and no λ has to be named): ℓ(r) − ℓ(r') = J(r) − J(r') − λ (c(r) − c(r')).
  double at_its_cost() const {
    detail::require(!at_prices.empty(), "comparator_path::at_its_cost: there are 0 prices, but must be at least 1");
    double out = at_prices.front().bound;
    for (const auto& c : at_prices) out = std::min(out, c.bound);
    return out;
  }
};

/// Prices of which one unit of the largest cost is worth 0, .03, .1, .3, 1 and 3 of quality: a grid that no sample has
/// to be looked at for. Throws std::invalid_argument for a largest cost that is not positive and finite.
inline std::vector<double> price_grid(double largest_cost) {
  detail::require(largest_cost > 0 && std::isfinite(largest_cost), "price_grid: largest_cost is ", largest_cost,
                  ", but must be finite and above 0");
  std::vector<double> out;
  for (const double worth : {0.0, 0.03, 0.1, 0.3, 1.0, 3.0}) out.push_back(worth / largest_cost);
  return out;
}

/// `certify_against` at each of `prices` (rising, fixed beforehand), δ shared evenly: one router, whose choices are the
/// same at every price. The sample is spent. Throws as `certify_against`, and std::invalid_argument for no prices or
/// prices that do not rise.
template <class Router, class Sample, class Comparators>
comparator_path certify_path(const Router& router, Sample&& sample, const Comparators& comparators,
                             confidence_level level, std::span<const double> prices, double largest_cost) {
  detail::require_handed_over<Sample>();
  comparator_path out;
  if constexpr (detail::is_handed_over<Sample>) {
    detail::require(
        !prices.empty() && std::adjacent_find(prices.begin(), prices.end(), std::greater_equal<>()) == prices.end(),
        "certify_path: prices has ", prices.size(), " entries, but must have at least 1, and they must rise");
    auto shares = std::move(sample).shares(prices.size());
    for (std::size_t i = 0; i < prices.size(); ++i)
      out.at_prices.push_back(certify_against(router, std::move(shares[i]), comparators, level,
                                              {.lambda = prices[i], .largest_cost = largest_cost}));
  }
  return out;
}

}  // namespace uniroute
