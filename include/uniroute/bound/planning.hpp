#pragma once

// How many labels a certificate takes: before any is bought, and after some were.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check.hpp>
#include <vector>

namespace uniroute {

/// What more labels cannot reach.
inline constexpr std::size_t unreachable = std::numeric_limits<std::size_t>::max();

namespace detail {

/// Interval I for n losses of mean μ, at level δ: for variance μ (1 − μ) where it reads squares, for evenly spread 0-1
/// losses where it reads the sequence.
template <class Interval>
interval planned_interval(double mean, std::size_t n, double delta) {
  const double sum = mean * static_cast<double>(n);
  if constexpr (mean_interval<Interval>) {
    return Interval::make(sum, n, delta);
  } else if constexpr (moment_interval<Interval>) {
    return Interval::make(sum, sum, n, delta);
  } else {
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double before = std::floor(mean * static_cast<double>(i) + 0.5);
      values[i] = std::floor(mean * static_cast<double>(i + 1) + 0.5) > before ? 1 : 0;
    }
    return Interval::make(values, delta);
  }
}

/// The least n up to `limit` with width(n) <= wanted, if widths fall with n (exact intervals do but for steps of one
/// outcome); unreachable if there is none.
template <class Width>
std::size_t least_count(Width&& width, double wanted, std::size_t limit) {
  std::size_t high = 1;
  while (high < limit && width(high) > wanted) high = std::min(limit, 2 * high);
  if (width(high) > wanted) return unreachable;
  std::size_t low = high / 2;  // too few, or 0
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (width(middle) > wanted ? low : high) = middle;
  }
  return high;
}

}  // namespace detail

/// What is known, or guessed, before any label is bought.
struct planning_options {
  std::vector<double> cell_shares = {};  ///< p_k; empty: equal shares
  double mean = 0.5;                     ///< of the losses; .5 is the worst for intervals that adapt
  double share_part = 0.1;               ///< of δ, spent on cell shares (as in certify_options)
  std::size_t limit = 10'000'000;        ///< labels per LLM beyond which to give up
};

/// Refused with a sentence: it does not guess an interval.
template <std::same_as<confidence_level> Level, class... Rest>
std::size_t labels_for_width(double, std::size_t, std::size_t, Level, const Rest&...) {
  static_assert(detail::accepted<Level>,
                "labels_for_width: name an interval, labels_for_width<betting>(width, cells, "
                "models, level)");
  return 0;
}

/// Labels per LLM, before any is bought, for which the uniform certificate's estimation part Σ p_k max_h (U − L) is at
/// most `width`, with K cells and M LLMs, at counts n p_k and with cell shares known. `unreachable` beyond the limit.
/// Throws std::invalid_argument for zeros, a width not above 0, a mean outside [0, 1], shares that do not sum to one.
template <class Interval>
std::size_t labels_for_width(double width, std::size_t cells, std::size_t models, confidence_level level,
                             const planning_options& options = {}) {
  static_assert(any_interval<Interval>,
                "labels_for_width: Interval must model mean_interval, moment_interval or sequence_interval");
  detail::require(cells != 0 && models != 0, "labels_for_width: there are ", cells, " cells and ", models,
                  " LLMs, but must be at least 1 of each");
  detail::require(width > 0, "labels_for_width: width is ", width, ", but must be above 0");
  detail::require(options.mean >= 0 && options.mean <= 1, "labels_for_width: mean is ", options.mean,
                  ", but must be in [0, 1]");
  std::vector<double> shares = options.cell_shares;
  if (shares.empty()) shares.assign(cells, 1.0 / static_cast<double>(cells));
  detail::require(shares.size() == cells, "labels_for_width: cell_shares has ", shares.size(),
                  " entries, but must have ", cells);
  known_shares(shares);
  const double part = level.delta() * (1 - options.share_part) / static_cast<double>(cells * models);
  const auto total = [&](std::size_t n) {
    double sum = 0;
    for (const double p : shares)
      sum += p * detail::planned_interval<Interval>(options.mean, static_cast<std::size_t>(p * static_cast<double>(n)),
                                                    part)
                     .width();
    return sum;
  };
  return detail::least_count(total, width, options.limit);
}

/// More labels of each LLM in each cell (K x M) after which every cell's gap would be at most `width`, and with it the
/// gap-adaptive certificate, if the means stay as they are: for every pair (choice, rival) whose gap is above it, as
/// many as bring U(choice) and L(rival) each within half of what is left of `width` beside the difference of the means.
/// 0 where nothing is in doubt. `unreachable` where no number of labels will do, because the choice's mean is worse
/// than a rival's by `width` or more (choose anew), or beyond `limit`. Throws std::invalid_argument for a width not
/// above 0 and a certificate without counts.
template <class Interval>
matrix<std::size_t> more_labels(const certificate& c, double width, double share_part = 0.1,
                                std::size_t limit = 10'000'000) {
  static_assert(any_interval<Interval>,
                "more_labels: Interval must model mean_interval, moment_interval or sequence_interval");
  detail::require(width > 0, "more_labels: width is ", width, ", but must be above 0");
  const std::size_t cells = rows(c.lower), m = columns(c.lower);
  detail::require(rows(c.counts) == cells && columns(c.counts) == m,
                  "more_labels: the certificate has no counts, but must be made by certify or certify_counts");
  const double part = (1 - c.level) * (1 - share_part) / static_cast<double>(cells * m);
  const bool priced = c.largest_objective > 0;  // intervals have λ c in them
  const double scale = priced ? c.largest_objective : 1;
  auto out = make_matrix<std::size_t>(cells, m, 0);
  for (std::size_t k = 0; k < cells; ++k) {
    const std::size_t r = c.choices[k];
    // Labels of LLM h for which its interval reaches no further than `wanted` from its mean, up or down.
    const auto need = [&](std::size_t h, bool up, double wanted) {
      const double mean = c.means(k, h) / scale;
      const auto reach = [&](std::size_t count) {
        const interval i = detail::planned_interval<Interval>(mean, count, part);
        return scale * (up ? i.upper - mean : mean - i.lower);
      };
      const std::size_t n = wanted > 0 ? detail::least_count(reach, wanted, limit) : unreachable;
      const auto have = static_cast<std::size_t>(c.counts(k, h));
      if (n == unreachable) {
        out(k, h) = unreachable;
      } else if (n > have) {
        out(k, h) = std::max(out(k, h), n - have);
      }
    };
    for (std::size_t h = 0; h < m; ++h) {
      const double dearer = priced ? 0 : c.lambda * (c.costs[r] - c.costs[h]);
      if (h == r || c.upper(k, r) - c.lower(k, h) + dearer <= width) continue;
      const double left = width - (c.means(k, r) - c.means(k, h) + dearer);
      need(r, true, left / 2);
      need(h, false, left / 2);
    }
  }
  return out;
}

}  // namespace uniroute
