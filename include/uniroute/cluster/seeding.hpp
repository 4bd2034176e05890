#pragma once

// Where K-means starts.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/detail/seed_distances.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute {

/// k-means++ (Arthur and Vassilvitskii 2007): each next centroid is a row drawn with probability proportional to its
/// squared distance to the nearest one so far. When all rows left coincide with centroids, the rest is drawn uniformly.
///
/// Exactly that distribution, in a few passes instead of k: rows are proposed by the distances at the last pass, and
/// accepted with probability (distance now) / (distance then), which needs distances to the seeds since then only. A
/// pass, one GEMM, follows when proposals have cost a quarter of one. One n x D x k sgemm, and O(n D) a pass.
/// Bits do not depend on `threads` (0: all).
struct plus_plus_seeding {
  embedding_matrix operator()(const embedding_matrix& given, std::size_t k, random_engine& engine,
                              std::size_t threads = 1) const {
    // Squares of tiny values would vanish in float32, and all rows be at distance 0: those are scaled by a power of
    // two.
    float largest = 0;
    for (const float value : given) largest = std::max(largest, std::fabs(value));
    const bool tiny = largest > 0 && largest < 1e-9F;
    embedding_matrix scaled;
    if (tiny) {
      scaled = given;
      for (float& value : scaled) value = std::ldexp(value, -std::ilogb(largest));
    }
    const embedding_matrix& x = tiny ? scaled : given;
    const std::size_t n = rows(x), d = columns(x);
    std::vector<std::size_t> chosen{engine.below(n)};
    chosen.reserve(k);
    detail::seed_distances then(x, threads);
    for (std::size_t counted = 0; chosen.size() < k;) {
      then.add({chosen.data() + counted, chosen.size() - counted});
      counted = chosen.size();
      if (then.total() <= 0) break;
      for (std::size_t spent = 0; chosen.size() < k && spent <= n / 4;) {
        const std::size_t proposal = then.draw(engine);
        const double least = engine.uniform() * static_cast<double>(then[proposal]);
        bool accepted = true;
        for (std::size_t c = counted; c < chosen.size() && accepted; ++c, ++spent)
          accepted = detail::squared_distance(row(x, proposal).data(), row(x, chosen[c]).data(), d) > least;
        if (accepted) chosen.push_back(proposal);
      }
    }
    while (chosen.size() < k) chosen.push_back(engine.below(n));
    return take_rows(given, {chosen.data(), chosen.size()});
  }
};

/// Forgy: K different rows, each set equally likely. Cheaper than k-means++, and usually a worse start.
struct random_seeding {
  embedding_matrix operator()(const embedding_matrix& x, std::size_t k, random_engine& engine) const {
    std::vector<std::size_t> order(rows(x));
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle(order, engine);
    return take_rows(x, {order.data(), k});
  }
};

static_assert(seeding<plus_plus_seeding>);
static_assert(seeding<random_seeding>);

}  // namespace uniroute
