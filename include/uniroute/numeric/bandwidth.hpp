#pragma once

// The scale of distances in a set of prompts, for everything that decays with squared distance.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <uniroute/numeric/neighbours.hpp>
#include <vector>

namespace uniroute::detail {

/// Throws std::invalid_argument unless both are finite and above 0, where given.
inline void check_bandwidth(std::string_view owner, const std::optional<double>& bandwidth, double relative_bandwidth) {
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  require(!bandwidth || positive(*bandwidth), owner, ": bandwidth is ", bandwidth.value_or(0),
          ", but must be finite and above 0");
  require(positive(relative_bandwidth), owner, ": relative_bandwidth is ", relative_bandwidth,
          ", but must be finite and above 0");
}

/// `share` times the mean over the rows of x of the squared distance to the nearest centroid.
inline double nearest_bandwidth(const embedding_matrix& x, const centroid_table& table, double share) {
  const label_vector labels = nearest(x, table);
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    sum += squared_distance(row(x, i).data(), row(table.centroids, labels[i]).data(), table.dimension());
  const double bandwidth = share * sum / static_cast<double>(std::max<std::size_t>(1, labels.size()));
  // Every prompt on its centroid: any positive width gives the hard map there.
  return bandwidth > 0 ? bandwidth : std::numeric_limits<float>::min();
}

/// `share` times the mean over at most 1,000 rows of the sample, evenly spaced, of the squared distance to the nearest
/// other row; the smallest float where there is no other, or where all are equal.
inline double neighbour_bandwidth(const embedding_matrix& sample, double share) {
  const std::size_t n = rows(sample), asked = std::min<std::size_t>(n, 1000);
  if (n < 2) return std::numeric_limits<float>::min();
  std::vector<std::size_t> indices(asked);
  for (std::size_t i = 0; i < asked; ++i) indices[i] = i * n / asked;
  std::vector<double> distances(asked, 0.0);
  const centroid_table table(sample);
  const embedding_matrix queries = take_rows(sample, std::span<const std::size_t>(indices));
  for_each_neighbourhood(queries, table, 2, 1, [&](std::size_t i, std::span<const scored_row> near) {
    // One of the two is the row itself, or equal to it.
    for (const auto& found : near) {
      const float* other = row(sample, found.index).data();
      distances[i] = std::max(distances[i], squared_distance(row(queries, i).data(), other, columns(sample)));
    }
  });
  double sum = 0;
  for (const double d : distances) sum += d;
  const double bandwidth = share * sum / static_cast<double>(asked);
  return bandwidth > 0 ? bandwidth : std::numeric_limits<float>::min();
}

}  // namespace uniroute::detail
