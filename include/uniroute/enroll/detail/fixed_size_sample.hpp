#pragma once

// Samples of a fixed size in which each unit has exactly the probability it was given.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// Probabilities proportional to `sizes` that add up to `budget`, none above 1: units that would be are taken surely,
/// the others share what is left. Sizes must be at least 0; where those left are all 0, they count as equal.
inline std::vector<double> inclusion_probabilities(std::span<const double> sizes, std::size_t budget) {
  assert(budget <= sizes.size());
  std::vector<double> out(sizes.size(), -1.0);
  std::size_t left = budget, open = sizes.size();
  for (bool changed = true; changed && open != 0;) {
    double sum = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) sum += out[i] < 0 ? sizes[i] : 0;
    changed = false;
    const auto scaled = [&](std::size_t i) {
      return static_cast<double>(left) * (sum > 0 ? sizes[i] / sum : 1 / static_cast<double>(open));
    };
    std::vector<std::size_t> sure;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (out[i] < 0 && scaled(i) >= 1) sure.push_back(i);
    }
    if (sure.empty()) {
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (out[i] < 0) out[i] = scaled(i);
      }
      break;
    }
    for (const std::size_t i : sure) out[i] = 1;
    left -= std::min(left, sure.size());
    open -= sure.size();
    changed = true;
  }
  return out;
}

/// Sizes of which a share is the same for every unit, so that none is out of reach.
inline std::vector<double> defensive(std::vector<double> sizes, double share) {
  const double sum = std::accumulate(sizes.begin(), sizes.end(), 0.0), n = static_cast<double>(sizes.size());
  for (double& size : sizes) size = sum > 0 ? (1 - share) * size / sum + share / n : 1 / n;
  return sizes;
}

/// Deville and Tillé's pivotal method (1998): the units fight in pairs, the winner of each fight keeps the pair's
/// probability until it is 0 or 1. Unit i is chosen with probability inclusion[i] exactly, and Σ inclusion of them are.
class pivotal_fight {
 public:
  explicit pivotal_fight(std::vector<double> inclusion) : left_(std::move(inclusion)) {}

  bool decided(std::size_t i) const noexcept { return left_[i] < nothing || left_[i] > 1 - nothing; }
  bool chosen(std::size_t i) const noexcept { return left_[i] > 0.5; }

  /// At least one of two undecided units is decided afterwards.
  void fight(std::size_t i, std::size_t j, random_engine& draws) noexcept {
    double &a = left_[i], &b = left_[j];
    const double sum = a + b;
    if (sum < 1) {
      const bool first = draws.uniform() * sum < a;
      a = first ? sum : 0;
      b = first ? 0 : sum;
    } else {
      const bool first = draws.uniform() * (2 - sum) < 1 - b;
      a = first ? 1 : sum - 1;
      b = first ? sum - 1 : 1;
    }
  }

 private:
  static constexpr double nothing = 1e-10;

  std::vector<double> left_;
};

/// The sample of a fight that is over. Rounding may leave one unit undecided: the nearer of 0 and 1 is meant.
inline label_sample finish_sample(const pivotal_fight& fight, std::vector<double> inclusion) {
  label_sample out;
  for (std::size_t i = 0; i < inclusion.size(); ++i) {
    if (!fight.chosen(i)) continue;
    out.prompts.push_back(i);
    out.weights.push_back(1 / inclusion[i]);
  }
  out.inclusion = std::move(inclusion);
  return out;
}

/// Units of a group fight each other, in the order given, until one at most is undecided; then what is left of the
/// groups fight. Each group gets its expected number of places to within one: the sample is stratified by group.
/// `order` lists all units, those of a group one after another; `group(i)` is unit i's.
template <class Group>
label_sample grouped_sample(std::vector<double> inclusion, std::span<const std::size_t> order, Group&& group,
                            random_engine& draws) {
  pivotal_fight fight(inclusion);
  const auto undecided = [&](auto i) { return !fight.decided(i); };
  std::vector<std::size_t> left, standing;
  const auto challenge = [&](std::vector<std::size_t>& champions, std::size_t i) {
    if (!champions.empty()) fight.fight(champions.back(), i, draws);
    champions.push_back(i);
    std::erase_if(champions, [&](auto c) { return !undecided(c); });
  };
  for (std::size_t at = 0; at < order.size(); ++at) {
    if (at != 0 && group(order[at]) != group(order[at - 1])) {
      left.insert(left.end(), standing.begin(), standing.end());
      standing.clear();
    }
    if (undecided(order[at])) challenge(standing, order[at]);
  }
  left.insert(left.end(), standing.begin(), standing.end());
  standing.clear();
  for (const std::size_t i : left) challenge(standing, i);
  return finish_sample(fight, std::move(inclusion));
}

/// All candidates, each for itself.
inline label_sample whole_sample(std::size_t n) {
  label_sample out{std::vector<std::size_t>(n), std::vector<double>(n, 1.0), std::vector<double>(n, 1.0)};
  std::iota(out.prompts.begin(), out.prompts.end(), std::size_t{0});
  return out;
}

/// A random order of 0 … n - 1.
inline std::vector<std::size_t> random_order(std::size_t n, random_engine& draws) {
  std::vector<std::size_t> out(n);
  std::iota(out.begin(), out.end(), std::size_t{0});
  shuffle(std::span(out), draws);
  return out;
}

/// Checks what `choose` gets. `dimension` is 0 before fit.
inline void check_choice(std::string_view function, const embedding_matrix& candidates, std::size_t dimension,
                         std::size_t budget) {
  require<not_fitted>(dimension != 0, function, ": fit must come first");
  require(columns(candidates) == dimension, function, ": candidates has ", columns(candidates),
          " columns, but must have ", dimension);
  require(rows(candidates) != 0, function, ": candidates has 0 rows, but must have at least 1");
  require(budget != 0, function, ": budget is 0, but must be at least 1");
  check_finite(function, "candidates", candidates);
}

/// Checks the share of probability that is the same for all.
inline void check_defensive_share(std::string_view design, double share) {
  require(share > 0 && share <= 1, design, ": defensive_share is ", share,
          ", but must be above 0 and at most 1: a prompt that is never asked cannot be weighted for");
}

}  // namespace uniroute::detail
