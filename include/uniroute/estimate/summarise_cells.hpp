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

/// The statistics of one column of losses over hard labels (one below `cells` per loss). Missing losses are left out.
inline cell_statistics summarise_cells(std::span<const std::uint32_t> labels, std::span<const double> losses,
                                       std::size_t cells) {
  cell_statistics out{std::vector<double>(cells, 0.0), {}, std::vector<double>(cells, 0.0), 0, 0};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    out.weight[labels[i]] += 1;
    out.sum[labels[i]] += losses[i];
    ++out.observed;
    out.total += losses[i];
  }
  out.squared_weight = out.weight;
  return out;
}

/// The same over soft memberships (n x K). Missing losses are left out.
inline cell_statistics summarise_cells(const membership_matrix& memberships, std::span<const double> losses) {
  const std::size_t cells = columns(memberships);
  cell_statistics out{std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0),
                      0, 0};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    const auto phi = row(memberships, i);
    for (std::size_t k = 0; k < cells; ++k) {
      out.weight[k] += phi[k];
      out.squared_weight[k] += phi[k] * phi[k];
      out.sum[k] += phi[k] * losses[i];
    }
    ++out.observed;
    out.total += losses[i];
  }
  return out;
}

}  // namespace uniroute
