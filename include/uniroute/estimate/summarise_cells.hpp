#pragma once

// One LLM's outcomes, summed by cell: what estimators read.

#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/missing.hpp>
#include <vector>

namespace uniroute {

namespace detail {

/// What the weights of the observed losses must be divided by to have mean 1; 1 for no weights.
inline double mean_weight(std::span<const double> losses, std::span<const double> weights) noexcept {
  if (weights.empty()) return 1;
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    sum += weights[i];
    count += 1;
  }
  return sum / count;
}

}  // namespace detail

/// The statistics of one column of losses over hard labels (one below `cells` per loss). Missing losses are left out.
/// `weights`, if given, has one positive weight per loss, read as multiples of their mean.
inline cell_statistics summarise_cells(std::span<const std::uint32_t> labels, std::span<const double> losses,
                                       std::size_t cells, std::span<const double> weights = {}) {
  cell_statistics out{std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0),
                      0, 0};
  const double unit = detail::mean_weight(losses, weights);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    const double w = weights.empty() ? 1 : weights[i] / unit;
    out.weight[labels[i]] += w;
    out.squared_weight[labels[i]] += w * w;
    out.sum[labels[i]] += w * losses[i];
    ++out.observed;
    out.total += w * losses[i];
  }
  return out;
}

/// The same over soft memberships (n x K). Missing losses are left out.
inline cell_statistics summarise_cells(const membership_matrix& memberships, std::span<const double> losses,
                                       std::span<const double> weights = {}) {
  const std::size_t cells = columns(memberships);
  cell_statistics out{std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0),
                      0, 0};
  const double unit = detail::mean_weight(losses, weights);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    const double w = weights.empty() ? 1 : weights[i] / unit;
    const auto phi = row(memberships, i);
    for (std::size_t k = 0; k < cells; ++k) {
      const double share = w * phi[k];
      out.weight[k] += share;
      out.squared_weight[k] += share * share;
      out.sum[k] += share * losses[i];
    }
    ++out.observed;
    out.total += w * losses[i];
  }
  return out;
}

}  // namespace uniroute
