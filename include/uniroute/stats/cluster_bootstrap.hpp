#pragma once

// How much of a mean gain hangs on which LLMs the table happens to have.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute {

/// A percentile interval over LLMs. A trial's value is a function of the r LLMs that were unseen in it, so the mean
/// over trials is a U-statistic of degree r; to first order it moves by r times the mean of h(m) − mean, h(m) being the
/// mean over the trials in which LLM m was unseen (Hájek's projection; van der Vaart 1998, chapter 12). LLMs are drawn
/// with replacement. The interval speaks of other LLMs, where the t-test over trials speaks of other splits of the same
/// ones; with few trials the noise of h widens it.
struct bootstrap_interval {
  double low = 0;            ///< of the mean
  double high = 0;           ///< of the mean
  std::size_t clusters = 0;  ///< LLMs
};

/// `clusters[t]` names the LLMs of trial t. Same seed, same bits.
/// Throws std::invalid_argument for shapes, no values, zero draws or a level outside (0, 1), std::domain_error for a
/// value that is not finite.
inline bootstrap_interval cluster_bootstrap(std::span<const double> values,
                                            std::span<const std::vector<std::string>> clusters, std::uint64_t seed = 1,
                                            std::size_t draws = 2000, double level = 0.95) {
  detail::require(!values.empty() && values.size() == clusters.size(), "cluster_bootstrap: values has ", values.size(),
                  " entries, but must have as many as clusters, ", clusters.size(), ", and at least 1");
  detail::require(draws >= 1 && level > 0 && level < 1, "cluster_bootstrap: draws is ", draws, " and level ", level,
                  ", but must be at least 1 and between 0 and 1");
  detail::check_finite_values("cluster_bootstrap", "values", values);
  std::map<std::string, std::pair<double, double>> sums;
  for (std::size_t t = 0; t < values.size(); ++t) {
    for (const auto& name : clusters[t]) {
      auto& [sum, count] = sums[name];
      sum += values[t];
      count += 1;
    }
  }
  double mean = 0, degree = 0;
  for (std::size_t t = 0; t < values.size(); ++t) {
    mean += values[t] / static_cast<double>(values.size());
    degree += static_cast<double>(clusters[t].size()) / static_cast<double>(values.size());
  }
  std::vector<double> influence;
  for (const auto& entry : sums) influence.push_back(degree * (entry.second.first / entry.second.second - mean));
  detail::require(!influence.empty(), "cluster_bootstrap: clusters has no names, but must have at least 1");
  random_engine engine(seed);
  std::vector<double> drawn(draws);
  for (double& value : drawn) {
    double sum = 0;
    for (std::size_t m = 0; m < influence.size(); ++m) sum += influence[engine.below(influence.size())];
    value = mean + sum / static_cast<double>(influence.size());
  }
  std::sort(drawn.begin(), drawn.end());
  const auto at = [&](double share) {
    return drawn[static_cast<std::size_t>(std::lround(share * static_cast<double>(draws - 1)))];
  };
  return {at((1 - level) / 2), at((1 + level) / 2), influence.size()};
}

}  // namespace uniroute
