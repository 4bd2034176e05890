#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <uniroute/stats/detail/betting.hpp>
#include <vector>

namespace uniroute {

/// The hedged-capital interval of Waudby-Smith and Ramdas (2023, theorem 3): all means against which neither of two
/// gamblers, one betting on more and one on less, ever multiplies a unit of money by 2/δ. Bets are their predictable
/// plug-in for a sample of known size. Any i.i.d. losses in [0, 1]; adapts to their variance without its price at small
/// n. O(80 n).
///
/// Values are bet on in an order drawn by a fixed seed, whatever the order they come in: tables are sorted by
/// benchmark, and a gambler who learns from the first benchmark loses on the next, so that intervals for rows as they
/// lie cover far less than they promise. The interval is therefore a function of the values, their order and the seed;
/// it covers with probability at least 1 − δ over sample and seed.
struct betting {
  using loss_type = bounded_loss;
  using guarantee = finite_sample;
  static constexpr bool equal_tailed = true;  ///< each end fails with probability at most δ / 2

  /// Throws std::invalid_argument for a delta outside (0, 1), std::domain_error for values outside [0, 1] and where no
  /// mean is left (of probability at most δ for i.i.d. values).
  static interval make(std::span<const double> values, double delta, std::uint64_t seed = detail::betting_seed) {
    return make(values, {}, delta, seed);
  }

  /// The interval for the ψ with E[φ (x − ψ)] = 0, from pairs of a value in [0, 1] and a weight φ in [0, 1] (none: all
  /// 1): what a profile of soft cells is, a ratio of means. Throws std::invalid_argument also for sizes that differ.
  static interval make(std::span<const double> values, std::span<const double> weights, double delta,
                       std::uint64_t seed = detail::betting_seed) {
    detail::check_delta("betting::make", delta);
    check_unit("betting::make", "values", values);
    check_unit("betting::make", "weights", weights);
    detail::require(weights.empty() || weights.size() == values.size(), "betting::make: weights has ", weights.size(),
                    " entries, but must have none or as many as values, ", values.size());
    if (values.empty()) return {};
    std::vector<double> x(values.begin(), values.end()), phi(weights.begin(), weights.end());
    detail::shuffle_for_bets(x, phi, seed);
    const auto bets = detail::plug_in_bets(x, phi, delta / 2);
    return detail::checked_interval("betting::make", detail::betting_bound(x, phi, bets, delta / 2, false),
                                    1 - detail::betting_bound(x, phi, bets, delta / 2, true));
  }

  /// The upper end alone, at level delta: half the work, and no lower end to cross. Throws as `make`.
  static double upper(std::span<const double> values, double delta, std::uint64_t seed = detail::betting_seed) {
    detail::check_delta("betting::upper", delta);
    check_unit("betting::upper", "values", values);
    if (values.empty()) return 1;
    std::vector<double> x(values.begin(), values.end()), none;
    detail::shuffle_for_bets(x, none, seed);
    return 1 - detail::betting_bound(x, {}, detail::plug_in_bets(x, {}, delta), delta, true);
  }

 private:
  static void check_unit(std::string_view function, std::string_view thing, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      detail::require<std::domain_error>(values[i] >= 0 && values[i] <= 1, function, ": ", thing, "[", i, "] is ",
                                         values[i], ", but must be in [0, 1]");
  }
};

/// The one-sided test that goes with it: whether "the mean of the values is at least m" is rejected at level delta, the
/// values bet on in the order that the seed draws. Throws as `betting::make`, and for an m outside [0, 1].
inline bool betting_rejects_at_least(std::span<const double> values, double m, double delta,
                                     std::uint64_t seed = detail::betting_seed) {
  detail::check_delta("betting_rejects_at_least", delta);
  detail::require(m >= 0 && m <= 1, "betting_rejects_at_least: m is ", m, ", but must be in [0, 1]");
  for (std::size_t i = 0; i < values.size(); ++i)
    detail::require<std::domain_error>(values[i] >= 0 && values[i] <= 1, "betting_rejects_at_least: values[", i,
                                       "] is ", values[i], ", but must be in [0, 1]");
  std::vector<double> x(values.begin(), values.end()), none;
  detail::shuffle_for_bets(x, none, seed);
  return detail::capital_passes(x, {}, detail::plug_in_bets(x, {}, delta), m, true, std::log(1 / delta));
}

static_assert(sequence_interval<betting> && !mean_interval<betting>);
static_assert(interval_for<betting, bounded_loss> && finite_sample_guarantee<betting>);

}  // namespace uniroute
