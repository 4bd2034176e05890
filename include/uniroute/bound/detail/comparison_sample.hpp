#pragma once

// The bet of the comparator certificate: one capital, played at once against every rule of a class (docs/theory.md,
// section 11). Knows no router and no table.

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/random.hpp>
#include <uniroute/stats/detail/betting.hpp>
#include <vector>

namespace uniroute::detail {

/// D_i(h), n x M: what the router's choice lost and cost more than LLM h's, and cells of prompts.
struct comparison_sample {
  matrix<double> difference = make_matrix<double>(0, 0);
  label_vector cells;     ///< of each prompt
  std::size_t count = 0;  ///< of cells
  double range = 1;       ///< no |D| is above it
  /// Cells x LLMs: the log of the probability that a prior gives the router's choice in a cell where the comparator's
  /// is h; 0 x 0 where the choices do not know the sample.
  matrix<double> log_prior = make_matrix<double>(0, 0);
};

/// An order of n rows that a fixed seed draws: rows of real tables are sorted by benchmark, and bets that learn from
/// the first benchmark lose on the next.
inline std::vector<std::size_t> betting_order(std::size_t n) {
  std::vector<std::size_t> out(n);
  std::iota(out.begin(), out.end(), std::size_t{0});
  random_engine draws(derive_seed(betting_seed, n));
  shuffle(std::span(out), draws);
  return out;
}

/// Bets sqrt(2 log(1/δ) / (horizon σ²)), the best for a sample of `horizon` rows (0: none is known, and after t rows t
/// log(1 + t) takes its place) of differences with variance σ² (Waudby-Smith and Ramdas 2010.09686, section 3.3), each
/// from the rows before it alone. One bet serves every rule of the class, or capitals would not be those of one gambler
/// for each rule; σ² is that of the rule that was best before each row, in range²: (1 + Σ (D − mean before)²) / (t +
/// 1). O(n M).
inline std::vector<double> comparator_bets(const comparison_sample& s, std::span<const std::size_t> order, double delta,
                                           std::size_t horizon) {
  const std::size_t n = rows(s.difference), models = columns(s.difference);
  std::vector<double> out(n), sums(s.count * models, 0.0);
  double error = 1, sum = 0;
  for (std::size_t t = 0; t < n; ++t) {
    const double seen = static_cast<double>(t) + 1, variance = error / seen;
    const double size = horizon == 0 ? seen * std::log(1 + seen) : static_cast<double>(horizon);
    out[t] = std::sqrt(2 * std::log(1 / delta) / (size * variance)) / s.range;
    double* const of_cell = sums.data() + s.cells[order[t]] * models;
    const auto rival = static_cast<std::size_t>(std::max_element(of_cell, of_cell + models) - of_cell);
    const auto d = row(s.difference, order[t]);
    const double miss = d[rival] / s.range - sum / seen;
    error += miss * miss;
    sum += d[rival] / s.range;
    for (std::size_t h = 0; h < models; ++h) of_cell[h] += d[h];
  }
  return out;
}

/// Bets that are the same for every row, stakes as shares of the range, for a mixture: from the one that is best for a
/// variance of 1, doubled up to .9. Where a prior has to be paid for the router's choices, capitals must grow by an
/// amount that nobody knows beforehand, and no single bet is good for all.
inline std::vector<std::vector<double>> fixed_bets(std::size_t n, double range, double delta) {
  std::vector<std::vector<double>> out;
  for (double stake = std::sqrt(2 * std::log(1 / delta) / static_cast<double>(n)); stake < 0.9; stake *= 2)
    out.emplace_back(n, stake / range);
  out.emplace_back(n, 0.9 / range);
  return out;
}

/// Capitals against every LLM in every cell, row by row, as a mantissa and a power of two: factors lie between 1 −
/// betting_cut and some 10, so that products of 64 are brought back to [1/2, 1), and a logarithm is taken of the least
/// of each cell alone.
class comparator_capital {
 public:
  comparator_capital(const comparison_sample& s, std::span<const std::size_t> order)
      : sample_(s),
        order_(order),
        models_(columns(s.difference)),
        powers_(s.count * models_),
        products_(powers_.size()),
        turns_(s.count) {}

  /// Σ_k min_h Σ_{i in k, i <= look} log(1 + bet_i (m − D_i(h))) (+ the prior) at each look: the least log capital over
  /// rules. Bets are cut so that no row can take more than betting_cut of the capital. Rises with m. `looks`: numbers
  /// of rows, rising.
  std::vector<double> log_capitals(std::span<const double> bets, double m, std::span<const std::size_t> looks) {
    std::fill(powers_.begin(), powers_.end(), 0.0);
    std::fill(products_.begin(), products_.end(), 1.0);
    std::fill(turns_.begin(), turns_.end(), std::uint8_t{0});
    const double room = sample_.range - m;
    const double most = room > 0 ? betting_cut / room : std::numeric_limits<double>::infinity();
    std::vector<double> out;
    std::size_t i = 0;
    for (const std::size_t look : looks) {
      for (; i < look; ++i) {
        const double bet = std::min(bets[i], most), base = 1 + bet * m;
        const std::size_t k = sample_.cells[order_[i]];
        const double* __restrict const d = row(sample_.difference, order_[i]).data();
        double* __restrict const product = products_.data() + k * models_;
        for (std::size_t h = 0; h < models_; ++h) product[h] *= base - bet * d[h];
        if (++turns_[k] == 64) settle(k);
      }
      out.push_back(least());
    }
    return out;
  }

  /// The LLM of each cell that has the least capital now.
  std::vector<std::uint32_t> rivals() const {
    std::vector<std::uint32_t> out(sample_.count, 0);
    for (std::size_t k = 0; k < sample_.count; ++k) out[k] = static_cast<std::uint32_t>(least_in(k));
    return out;
  }

 private:
  void settle(std::size_t k) {
    turns_[k] = 0;
    for (std::size_t at = k * models_; at < (k + 1) * models_; ++at) {
      int power = 0;
      products_[at] = std::frexp(products_[at], &power);
      powers_[at] += power;
    }
  }
  double log_at(std::size_t at) const { return powers_[at] * std::numbers::ln2 + std::log(products_[at]); }
  /// Of a settled cell: mantissas are in [1/2, 1), so that power + mantissa is in the order of capitals.
  std::size_t least_in(std::size_t k) const {
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t h = 0; h < models_; ++h) {
      const std::size_t at = k * models_ + h;
      const double value =
          sample_.log_prior.size() == 0 ? powers_[at] + products_[at] : log_at(at) + sample_.log_prior(k, h);
      if (value >= least) continue;
      least = value;
      best = h;
    }
    return best;
  }
  double least() {
    double out = 0;
    for (std::size_t k = 0; k < sample_.count; ++k) {
      settle(k);
      const std::size_t h = least_in(k);
      out += log_at(k * models_ + h) + (sample_.log_prior.size() == 0 ? 0.0 : sample_.log_prior(k, h));
    }
    return out;
  }

  const comparison_sample& sample_;
  std::span<const std::size_t> order_;
  std::size_t models_;
  std::vector<double> powers_, products_;
  std::vector<std::uint8_t> turns_;
};

/// When the capital of n rows is looked at: nine times in their second half.
inline std::vector<std::size_t> late_looks(std::size_t n) {
  std::vector<std::size_t> out;
  for (std::size_t part = 8; part <= 16; ++part) {
    const std::size_t look = n * part / 16;
    if (look != 0 && (out.empty() || look > out.back())) out.push_back(look);
  }
  return out;
}

/// What `bound_against` finds.
struct comparator_bound {
  double bound = 0;
  std::vector<std::uint32_t> rivals;  ///< of each cell
};

/// The greatest, over looks, of the log of the mean of the capitals of some series of bets; a log e-value (with Ville's
/// inequality) against "the mean of D(r*) is at least m" for the unknown r* of the class. Rises with m.
inline double log_evidence(comparator_capital& capital, std::span<const std::vector<double>> series, double m,
                           std::span<const std::size_t> looks) {
  std::vector<std::vector<double>> of;
  for (const auto& bets : series) of.push_back(capital.log_capitals(bets, m, looks));
  double out = -std::numeric_limits<double>::infinity();
  for (std::size_t at = 0; at < looks.size(); ++at) {
    double highest = of[0][at], sum = 0;
    for (const auto& logs : of) highest = std::max(highest, logs[at]);
    for (const auto& logs : of) sum += std::exp(logs[at] - highest);
    out = std::max(out, highest + std::log(sum / static_cast<double>(of.size())));
  }
  return out;
}

/// The least m (to 1e-6 of the range, from above) at which the evidence reaches 1/δ; the range if it never does. Rows
/// count in the order given. The rivals are those of the series that has most capital at that m.
inline comparator_bound bound_against(const comparison_sample& s, std::span<const std::size_t> order,
                                      std::span<const std::vector<double>> series, std::span<const std::size_t> looks,
                                      double delta) {
  comparator_capital capital(s, order);
  const double goal = std::log(1 / delta);
  double high = s.range;
  const auto above = [&](double m) { return log_evidence(capital, series, m, looks) - goal; };
  const double at_least = above(-s.range), at_most = above(s.range);
  if (at_least >= 0) {
    high = -s.range;
  } else if (at_most >= 0) {
    // Alefeld, Potra and Shi's bracketing: some ten evaluations where halving takes 21.
    std::uintmax_t steps = 60;
    const auto narrow = [&](double a, double b) { return b - a <= 1e-6 * s.range; };
    high = boost::math::tools::toms748_solve(above, -s.range, s.range, at_least, at_most, narrow, steps).second;
  }
  comparator_bound out{high, {}};
  double most = -std::numeric_limits<double>::infinity();
  for (const auto& bets : series) {
    const double last = capital.log_capitals(bets, high, looks).back();
    if (last <= most && !out.rivals.empty()) continue;
    most = last;
    out.rivals = capital.rivals();
  }
  return out;
}

/// The same for a sample of known size whose rows come in any order and whose choices do not know it.
inline comparator_bound bound_against(const comparison_sample& s, double delta) {
  const std::size_t n = rows(s.difference);
  const auto order = betting_order(n);
  const std::vector<std::vector<double>> one{comparator_bets(s, order, delta, n)};
  return bound_against(s, order, one, late_looks(n), delta);
}

/// The same where a prior is paid for the choices: a mixture of fixed bets at the end, for which no order counts.
inline comparator_bound bound_with_prior(const comparison_sample& s, double delta) {
  const std::size_t n = rows(s.difference);
  const std::vector<std::size_t> end{n};
  return bound_against(s, betting_order(n), fixed_bets(n, s.range, delta), end, delta);
}

}  // namespace uniroute::detail
