#pragma once

// Tries to break a claim: random worlds, then hill-climbing from the most promising.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <uniroute/bound/claims.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Climbs truth / bound. Each step moves one to three coordinates of the current point: by a normal number of shrinking
/// spread, to an end of [0, 1], or onto another coordinate (ties are where bounds are tight). Steps that lose nothing
/// are kept; a climb that stands still for `patience` steps starts again at the best of 16 random points. Same seed,
/// same search. Not thread-safe.
class counterexample_search {
 public:
  explicit counterexample_search(claim what, std::uint64_t seed = 1, std::size_t patience = 400)
      : claim_(std::move(what)), patience_(patience), draws_(derive_seed(seed, 6)) {
    detail::require(claim_.dimension != 0 && claim_.evaluate != nullptr,
                    "counterexample_search: the claim has no coordinates or no function, but must have both");
    detail::require(patience != 0, "counterexample_search: patience is 0, but must be at least 1");
    restart();
  }

  /// Tries that many more points.
  void run(std::size_t steps) {
    for (std::size_t s = 0; s < steps; ++s) {
      if (idle_ >= patience_) restart();
      auto next = point_;
      const std::size_t moves = 1 + draws_.below(3);
      for (std::size_t m = 0; m < moves; ++m) {
        double& x = next[draws_.below(next.size())];
        const double kind = draws_.uniform();
        if (kind < 0.08) {
          x = draws_.uniform() < 0.5 ? 0 : 1;
        } else if (kind < 0.2) {
          x = next[draws_.below(next.size())];
        } else {
          x = std::clamp(x + draws_.normal() * std::pow(10, -3 * draws_.uniform()) * 0.5, 0.0, 1.0);
        }
      }
      const claim_value value = try_point(next);
      if (value.ratio() > value_.ratio()) {
        idle_ = 0;
      } else {
        ++idle_;
      }
      if (value.ratio() >= value_.ratio()) {
        point_ = std::move(next);
        value_ = value;
      }
    }
  }

  const claim& what() const noexcept { return claim_; }
  std::size_t steps() const noexcept { return steps_; }                      ///< points tried
  bool broken() const noexcept { return broken_; }                           ///< whether any point broke the claim
  const claim_value& closest() const noexcept { return closest_; }           ///< of the largest ratio found
  const std::vector<double>& closest_point() const noexcept { return at_; }  ///< where that is

 private:
  claim_value try_point(const std::vector<double>& point) {
    const claim_value value = claim_.evaluate(point);
    ++steps_;
    broken_ = broken_ || value.broken();
    if (at_.empty() || value.ratio() > closest_.ratio()) {
      closest_ = value;
      at_ = point;
    }
    return value;
  }

  void restart() {
    idle_ = 0;
    for (std::size_t start = 0; start < 16; ++start) {
      std::vector<double> point(claim_.dimension);
      for (double& x : point) x = draws_.uniform();
      const claim_value value = try_point(point);
      if (start == 0 || value.ratio() > value_.ratio()) {
        point_ = std::move(point);
        value_ = value;
      }
    }
  }

  claim claim_;
  std::size_t patience_;
  random_engine draws_;
  std::vector<double> point_, at_;
  claim_value value_, closest_;
  std::size_t idle_ = 0, steps_ = 0;
  bool broken_ = false;
};

}  // namespace uniroute
