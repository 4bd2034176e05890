#pragma once

// How much LLMs' error rates vary inside cells, guessed from near neighbours. An estimate, never a bound.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/encode/embed.hpp>
#include <uniroute/route/realised.hpp>
#include <vector>

namespace uniroute {

/// An estimate, with no confidence attached: γ* is not identified by single answers, and what varies on a scale below
/// the distance of neighbours is not in it. A type of its own that converts to nothing and adds to nothing, so that it
/// does not end up in a sum of bounds.
struct heterogeneity_estimate {
  matrix<double> deviations = make_matrix<double>(0, 0);  ///< K x M: standard deviation of γ*(x, h) within the cell
  double typical_deviation = 0;                           ///< root of the mean variance over prompts and LLMs
  double neighbour_distance = 0;                          ///< mean distance to the neighbour used …
  double cell_distance = 0;  ///< … and of two prompts of one cell: near each other, the estimate misses most
  std::size_t pairs = 0;     ///< prompts with a neighbour in their cell

  operator double() const = delete;
};

/// For a prompt i and its nearest neighbour j in the cell, E[(ℓ_i − Ψ)(ℓ_j − Ψ)] is the covariance of γ* at two near
/// points: its variance within the cell, less what varies between neighbours. Means over pairs, clipped at 0. Needs
/// answers that are independent given the prompts. O(Σ_k n_k² D).
/// Throws std::invalid_argument for shapes and as `summarise`.
inline heterogeneity_estimate estimate_heterogeneity(const cell_outcomes& o, const embedding_matrix& x) {
  detail::require(rows(x) == o.labels.size(), "estimate_heterogeneity: embeddings has ", rows(x),
                  " rows, but labels has ", o.labels.size(), " entries");
  const cell_sample s = summarise(o);
  const matrix<double> means = cell_means(s);
  const std::size_t m = s.models();
  auto sums = make_matrix<double>(s.cells(), m, 0.0), counts = make_matrix<double>(s.cells(), m, 0.0);
  heterogeneity_estimate out;
  std::vector<std::vector<std::size_t>> members(s.cells());
  for (std::size_t i = 0; i < o.labels.size(); ++i) members[o.labels[i]].push_back(i);
  double all_distances = 0, all_pairs = 0;
  for (std::size_t k = 0; k < s.cells(); ++k) {
    for (const std::size_t i : members[k]) {
      double least = std::numeric_limits<double>::infinity();
      std::size_t nearest = i;
      for (const std::size_t j : members[k]) {
        if (j == i) continue;
        double square = 0;
        for (std::size_t d = 0; d < columns(x); ++d) {
          const double difference = static_cast<double>(x(i, d)) - static_cast<double>(x(j, d));
          square += difference * difference;
        }
        all_distances += std::sqrt(square);
        all_pairs += 1;
        if (square < least) {
          least = square;
          nearest = j;
        }
      }
      if (nearest == i) continue;
      ++out.pairs;
      out.neighbour_distance += std::sqrt(least);
      for (std::size_t h = 0; h < m; ++h) {
        const double mine = o.losses(i, o.column(h)), theirs = o.losses(nearest, o.column(h));
        if (is_missing(mine) || is_missing(theirs)) continue;
        sums(k, h) += (mine - means(k, h)) * (theirs - means(k, h));
        counts(k, h) += 1;
      }
    }
  }
  if (out.pairs != 0) out.neighbour_distance /= static_cast<double>(out.pairs);
  if (all_pairs > 0) out.cell_distance = all_distances / all_pairs;
  out.deviations = make_matrix<double>(s.cells(), m, 0.0);
  double variance = 0, weight = 0;
  for (std::size_t k = 0; k < s.cells(); ++k) {
    for (std::size_t h = 0; h < m; ++h) {
      const double n = s.counts(k, h);
      // Ψ̂ is made of the same outcomes: that takes σ² / n off each product.
      if (n > 1) sums(k, h) += counts(k, h) * (s.squares(k, h) - n * means(k, h) * means(k, h)) / (n * (n - 1));
      variance += sums(k, h);
      weight += counts(k, h);
      if (counts(k, h) > 0) out.deviations(k, h) = std::sqrt(std::max(0.0, sums(k, h) / counts(k, h)));
    }
  }
  if (weight > 0) out.typical_deviation = std::sqrt(std::max(0.0, variance / weight));
  return out;
}

/// The same for a router with hard cells and a sample with its pool's outcomes.
template <class Router, class Loss>
requires hard_cell_based<typename Router::predictor_type> heterogeneity_estimate
estimate_heterogeneity(const Router& router, const basic_routing_table<Loss>& sample) {
  const auto columns = detail::pool_columns(router, sample);
  const embedding_matrix x = embed(router.reader(), sample);
  const auto& map = router.predictor_policy().map();
  const auto labels = map.labels(x);
  return estimate_heterogeneity(cell_outcomes{labels, sample.losses(), map.size(), columns}, x);
}

}  // namespace uniroute
