#pragma once

// Capital of a gambler who bets against a mean (Waudby-Smith and Ramdas 2023): the core of betting intervals and tests.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// The seed of the order in which values are bet on, where none is given.
inline constexpr std::uint64_t betting_seed = 20502773;

/// Puts values, and their weights (or none) with them, into an order that depends on how many they are and on the seed
/// alone. A martingale needs values in an order that does not follow them, and rows of real tables are sorted by
/// benchmark, so that losses drift along them. O(n).
inline void shuffle_for_bets(std::vector<double>& values, std::vector<double>& weights, std::uint64_t seed) noexcept {
  random_engine draws(derive_seed(seed, values.size()));
  for (std::size_t i = values.size(); i > 1; --i) {
    const std::size_t j = draws.below(i);
    std::swap(values[i - 1], values[j]);
    if (!weights.empty()) std::swap(weights[i - 1], weights[j]);
  }
}

/// Bets are cut at this share of what could be lost.
inline constexpr double betting_cut = 0.75;

/// Predictable plug-in bets sqrt(2 log(1/δ) / (n σ²_{t−1})) on values x in [0, 1], each with a weight φ in [0, 1] (no
/// weights: all 1), where σ²_t = (q_t / 4 + Σ φ² (x − mean before)²) / (t + 1) and q_t = (1 + Σ φ²) / (t + 1).
/// Bet t depends on what came before t alone. Mirrored values 1 − x have the same bets.
inline std::vector<double> plug_in_bets(std::span<const double> x, std::span<const double> phi, double delta) {
  const double n = static_cast<double>(x.size()), price = 2 * std::log(1 / delta) / n;
  std::vector<double> bets(x.size());
  double weight = 1, sum = 0.5, square = 1, error = 0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double seen = static_cast<double>(t) + 1;
    const double variance = (square / seen / 4 + error) / seen;
    bets[t] = std::sqrt(price / variance);
    const double w = phi.empty() ? 1 : phi[t], miss = w * (x[t] - sum / weight);
    weight += w;
    sum += w * x[t];
    square += w * w;
    error += miss * miss;
  }
  return bets;
}

/// Whether the capital Π (1 + bet φ (x − m)) passes exp(log_goal) at some time: then "the mean is at most m" is
/// rejected at level exp(−log_goal) (Ville 1939). Bets are cut at betting_cut / m, so that the capital stays positive.
/// The capital falls as m grows. `mirrored`: the same for 1 − x and 1 − m, that is "the mean is at least m".
inline bool capital_passes(std::span<const double> x, std::span<const double> phi, std::span<const double> bets,
                           double m, bool mirrored, double log_goal) noexcept {
  if (mirrored) m = 1 - m;
  const double most = m > 0 ? betting_cut / m : INFINITY;
  double log_capital = 0, product = 1, goal = std::exp(std::min(log_goal, 600.0));
  for (std::size_t t = 0; t < x.size(); ++t) {
    const double value = mirrored ? 1 - x[t] : x[t];
    const double w = phi.empty() ? 1 : phi[t];
    product *= 1 + std::min(bets[t], most) * w * (value - m);
    if (product >= goal) return true;
    if (t % 32 == 31) {  // factors are between 1/4 and 1 + bet, and bets below 100 or so: no overflow in 32 steps
      log_capital += std::log(product);
      product = 1;
      goal = std::exp(std::min(log_goal - log_capital, 600.0));
    }
  }
  return false;
}

/// The largest m known to be rejected as an upper limit of the mean, to 2^-40: a lower confidence bound. 0 if none.
/// `mirrored`: the bound of 1 − mean.
inline double betting_bound(std::span<const double> x, std::span<const double> phi, std::span<const double> bets,
                            double delta, bool mirrored) noexcept {
  const double goal = std::log(1 / delta);
  const auto rejected = [&](double m) { return capital_passes(x, phi, bets, mirrored ? 1 - m : m, mirrored, goal); };
  if (!rejected(0)) return 0;
  double low = 0, high = 1;
  for (int step = 0; step < 40; ++step) {
    const double middle = (low + high) / 2;
    (rejected(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace uniroute::detail
