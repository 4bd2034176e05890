#pragma once

// Where K-means starts.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/distance.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute {

/// k-means++ (Arthur and Vassilvitskii 2007): each next centroid is a row drawn with probability proportional to its
/// squared distance to the nearest one so far. O(n K D). When all rows left coincide with centroids, the next is
/// drawn uniformly.
struct plus_plus_seeding {
  embedding_matrix operator()(const embedding_matrix& x, std::size_t k, random_engine& engine) const {
    const std::size_t n = rows(x);
    const std::size_t d = columns(x);
    auto centroids = make_matrix<float>(k, d);
    std::vector<double> distance(n, std::numeric_limits<double>::infinity());
    std::size_t chosen = engine.below(n);
    for (std::size_t c = 0; c < k; ++c) {
      std::copy_n(x.data() + chosen * d, d, centroids.data() + c * d);
      double total = 0;
      for (std::size_t i = 0; i < n; ++i) {
        distance[i] = std::min(distance[i], detail::squared_distance(x.data() + i * d, centroids.data() + c * d, d));
        total += distance[i];
      }
      if (c + 1 == k) break;
      if (total <= 0) {
        chosen = engine.below(n);
        continue;
      }
      double left = engine.uniform() * total;
      chosen = n - 1;
      for (std::size_t i = 0; i < n; ++i) {
        left -= distance[i];
        if (left < 0) {
          chosen = i;
          break;
        }
      }
    }
    return centroids;
  }
};

/// Forgy: K different rows, each set equally likely. Cheaper than k-means++, and usually a worse start.
struct random_seeding {
  embedding_matrix operator()(const embedding_matrix& x, std::size_t k, random_engine& engine) const {
    std::vector<std::size_t> order(rows(x));
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(std::span(order), engine);
    return take_rows(x, std::span<const std::size_t>(order).first(k));
  }
};

static_assert(seeding<plus_plus_seeding>);
static_assert(seeding<random_seeding>);

}  // namespace uniroute
