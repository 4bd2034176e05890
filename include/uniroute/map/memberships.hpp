#pragma once

// Φ as a matrix, of hard and soft maps alike.

#include <cstddef>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/cluster_map.hpp>

namespace uniroute {

/// Φ(x), n x K, of any fitted map; one-hot rows where the map is hard.
template <cluster_map Map>
membership_matrix memberships(const Map& map, const embedding_matrix& x) {
  if constexpr (soft_cluster_map<Map>) {
    return map.memberships(x);
  } else {
    auto out = make_matrix<double>(rows(x), map.size(), 0.0);
    const label_vector labels = map.labels(x);
    for (std::size_t i = 0; i < labels.size(); ++i) out(i, labels[i]) = 1;
    return out;
  }
}

}  // namespace uniroute
