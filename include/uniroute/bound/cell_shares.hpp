#pragma once

// What is known of the cell shares p_k, and the largest mean over cells that it allows.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/stats/exact_binomial.hpp>
#include <vector>

namespace uniroute {

/// Shares that are known: intervals without width. Throws std::domain_error for a share outside [0, 1] and
/// std::invalid_argument if they do not sum to one (to 1e-9).
inline std::vector<interval> known_shares(std::span<const double> shares) {
  double sum = 0;
  std::vector<interval> out;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    detail::require<std::domain_error>(shares[k] >= 0 && shares[k] <= 1, "known_shares: shares[", k, "] is ", shares[k],
                                       ", but must be in [0, 1]");
    sum += shares[k];
    out.push_back({shares[k], shares[k]});
  }
  detail::require(std::fabs(sum - 1) <= 1e-9, "known_shares: the shares sum to ", sum, ", but must sum to 1");
  return out;
}

/// Shares estimated from the prompts in each cell (labelled or not): exact binomial intervals that hold at once with
/// probability 1 − delta. Throws std::invalid_argument for no prompts or a delta outside (0, 1).
inline std::vector<interval> estimated_shares(std::span<const double> prompts, double delta) {
  detail::check_delta("estimated_shares", delta);
  const double n = std::accumulate(prompts.begin(), prompts.end(), 0.0);
  detail::require(n >= 1, "estimated_shares: the sample has ", n, " prompts, but must have at least 1");
  std::vector<interval> out;
  if (prompts.size() == 1) return {{1, 1}};
  for (const double count : prompts)
    out.push_back(
        exact_binomial::make(count, static_cast<std::size_t>(n), delta / static_cast<double>(prompts.size())));
  return out;
}

namespace detail {

/// The largest Σ p_k v_k over the box of intervals and the simplex: give mass to the largest values first.
inline double largest_mean(std::span<const interval> shares, std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] > values[b]; });
  double left = 1, sum = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    left -= shares[k].lower;
    sum += shares[k].lower * values[k];
  }
  for (const std::size_t k : order) {
    const double extra = std::clamp(left, 0.0, shares[k].upper - shares[k].lower);
    sum += extra * values[k];
    left -= extra;
  }
  return sum;
}

inline void check_shares(std::string_view function, std::span<const interval> shares, std::size_t cells) {
  require(shares.size() == cells, function, ": shares has ", shares.size(), " entries, but must have one per cell, ",
          cells);
  double low = 0, high = 0;
  for (const interval& s : shares) {
    require<std::domain_error>(s.lower >= 0 && s.lower <= s.upper && s.upper <= 1, function, ": a share is [", s.lower,
                               ", ", s.upper, "], but must be an interval in [0, 1]");
    low += s.lower;
    high += s.upper;
  }
  require(low <= 1 + 1e-9 && high >= 1 - 1e-9, function, ": the shares sum to between ", low, " and ", high,
          ", but must be able to sum to 1");
}

}  // namespace detail

}  // namespace uniroute
