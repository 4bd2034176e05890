#pragma once

// Numbers of a curve, each under a convention.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/curve_convention.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <vector>

namespace uniroute {

/// The pool a curve is measured in: its cheapest and dearest single models, by realised mean cost.
struct pool_range {
  double cheapest_cost = 0;
  double cheapest_quality = 0;
  double dearest_cost = 0;

  bool is_degenerate() const noexcept { return !(dearest_cost > cheapest_cost); }
};

/// The range of single models. Equal costs: the better one is the cheapest. Throws std::invalid_argument for none.
inline pool_range range_of(std::span<const curve_point> models) {
  detail::require(!models.empty(), "range_of: models has 0 entries, but must have at least 1");
  pool_range out{models[0].cost, models[0].quality, models[0].cost};
  for (const auto& m : models) {
    if (m.cost < out.cheapest_cost || (m.cost == out.cheapest_cost && m.quality > out.cheapest_quality)) {
      out.cheapest_cost = m.cost;
      out.cheapest_quality = m.quality;
    }
    out.dearest_cost = std::max(out.dearest_cost, m.cost);
  }
  return out;
}

/// Quality as a function of cost on [cheapest, ∞), made of a curve by a convention.
class curve_function {
 public:
  /// Throws std::invalid_argument for a curve without points.
  curve_function(const deferral_curve& curve, const pool_range& pool, const curve_convention& convention = {})
      : pool_(pool), convention_(convention) {
    detail::require(!curve.points.empty(), "curve_function: the curve has 0 points, but must have at least 1");
    std::vector<vertex> sorted;
    for (const auto& p : curve.points) sorted.push_back({p.cost, p.quality});
    std::stable_sort(sorted.begin(), sorted.end(), [](const vertex& a, const vertex& b) { return a.cost < b.cost; });
    // Sums of the same costs in another order differ in their last bits: they are equal costs.
    const double tolerance = 1e-12 * std::max(std::fabs(sorted.back().cost), pool.dearest_cost);
    if (sorted.front().cost > pool.cheapest_cost + tolerance)
      sorted.insert(sorted.begin(), {pool.cheapest_cost, pool.cheapest_quality});
    for (std::size_t i = 0; i < sorted.size();) {
      std::size_t j = i;
      double sum = 0, best = sorted[i].quality;
      for (; j < sorted.size() && sorted[j].cost <= sorted[i].cost + tolerance; ++j) {
        sum += sorted[j].quality;
        best = std::max(best, sorted[j].quality);
      }
      // An envelope is over the points: of equal costs the better stays.
      const bool raised = convention.envelope != curve_envelope::none;
      vertices_.push_back({sorted[i].cost, raised ? best : sum / static_cast<double>(j - i)});
      i = j;
    }
    if (convention.envelope != curve_envelope::none) raise();
  }

  const curve_convention& convention() const noexcept { return convention_; }
  const pool_range& pool() const noexcept { return pool_; }

  /// Quality at a mean cost. Below the first point: the first point's.
  double operator()(double cost) const noexcept {
    const auto after = std::upper_bound(vertices_.begin(), vertices_.end(), cost,
                                        [](double c, const vertex& v) { return c < v.cost; });
    if (after == vertices_.begin()) return vertices_.front().quality;
    if (after == vertices_.end() || convention_.interpolation == curve_interpolation::step)
      return std::prev(after)->quality;
    const vertex& left = *std::prev(after);
    const double t = (cost - left.cost) / (after->cost - left.cost);
    return left.quality + t * (after->quality - left.quality);
  }

  /// ∫ quality d cost from a to b, exactly.
  double integral(double a, double b) const noexcept {
    double sum = 0;
    double from = a;
    double at = (*this)(a);
    const bool step = convention_.interpolation == curve_interpolation::step;
    for (const vertex& v : vertices_) {
      if (v.cost <= a) continue;
      if (v.cost >= b) break;
      sum += (v.cost - from) * (step ? at : (at + v.quality) / 2);
      from = v.cost;
      at = v.quality;
    }
    return sum + (b - from) * (step ? at : (at + (*this)(b)) / 2);
  }

  /// The best quality at or below the pool's dearest cost.
  double peak() const noexcept {
    double best = (*this)(pool_.dearest_cost);
    for (const vertex& v : vertices_) {
      if (v.cost <= pool_.dearest_cost) best = std::max(best, v.quality);
    }
    return best;
  }

  /// The least cost at which the quality is at least `quality`; none if it is not reached by the dearest model's cost.
  std::optional<double> cost_of(double quality) const noexcept {
    const vertex* before = nullptr;
    for (const vertex& v : vertices_) {
      if (v.quality >= quality - 1e-12) {
        double cost = v.cost;
        if (before != nullptr && convention_.interpolation == curve_interpolation::linear &&
            v.quality > before->quality)
          cost = before->cost + (v.cost - before->cost) *
                                    std::clamp((quality - before->quality) / (v.quality - before->quality), 0., 1.);
        if (cost > pool_.dearest_cost * (1 + 1e-12)) return std::nullopt;
        return cost;
      }
      before = &v;
    }
    return std::nullopt;
  }

 private:
  struct vertex {
    double cost, quality;
  };

  void raise() {
    if (convention_.envelope == curve_envelope::running_maximum) {
      for (std::size_t i = 1; i < vertices_.size(); ++i)
        vertices_[i].quality = std::max(vertices_[i].quality, vertices_[i - 1].quality);
      return;
    }
    std::vector<vertex> hull;
    for (const vertex& v : vertices_) {
      if (!hull.empty() && v.quality <= hull.back().quality) continue;
      while (hull.size() >= 2) {
        const vertex &a = hull[hull.size() - 2], &b = hull.back();
        if ((b.quality - a.quality) * (v.cost - a.cost) > (v.quality - a.quality) * (b.cost - a.cost)) break;
        hull.pop_back();
      }
      hull.push_back(v);
    }
    vertices_ = std::move(hull);
  }

  pool_range pool_;
  curve_convention convention_;
  std::vector<vertex> vertices_;  ///< by rising cost, distinct
};

/// A metric is undefined (no value) where the pool's costs are all equal: not NaN, not zero.
using metric = std::optional<double>;

/// ∫ quality over [cheapest, share of the dearest cost], costs divided by the dearest model's (UniRoute's Area at 1).
/// Throws std::invalid_argument for a share outside (0, 1].
inline metric area(const curve_function& f, double share = 1) {
  detail::require(share > 0 && share <= 1, "area: share is ", share, ", but must be above 0 and at most 1");
  const auto& pool = f.pool();
  if (pool.is_degenerate()) return std::nullopt;
  const double end = std::max(pool.cheapest_cost, share * pool.dearest_cost);
  return f.integral(pool.cheapest_cost, end) / pool.dearest_cost;
}

/// The mean quality over [cheapest, dearest] cost: nArea. With hull_convention it is RouterBench's AIQ.
inline metric normalised_area(const curve_function& f) {
  const auto& pool = f.pool();
  if (pool.is_degenerate()) return std::nullopt;
  return f.integral(pool.cheapest_cost, pool.dearest_cost) / (pool.dearest_cost - pool.cheapest_cost);
}

/// Quality-neutral cost: the least cost, as a share of the dearest model's, at which the quality of the reference model
/// (the most accurate single LLM, chosen on validation) is matched; no value: not reached (or costs all equal).
inline metric quality_neutral_cost(const curve_function& f, double reference_quality) {
  if (f.pool().is_degenerate()) return std::nullopt;
  const auto cost = f.cost_of(reference_quality);
  return cost ? metric(*cost / f.pool().dearest_cost) : std::nullopt;
}

namespace detail {

/// Whether the strong model is better by more than rounding.
inline bool has_gap(double weak_quality, double strong_quality) noexcept {
  return strong_quality - weak_quality > 1e-9;
}

}  // namespace detail

/// RouteLLM's average performance gap recovered, for a pool of two: mean over the range of costs of
/// (quality − weak) / (strong − weak). Undefined where the strong model is not better (by 1e-9: sums round).
inline metric average_gap_recovered(const curve_function& f, double weak_quality, double strong_quality) {
  const metric mean = normalised_area(f);
  if (!mean || !detail::has_gap(weak_quality, strong_quality)) return std::nullopt;
  return (*mean - weak_quality) / (strong_quality - weak_quality);
}

/// RouteLLM's call-performance threshold: the least share of the range of costs (of calls to the strong model, where
/// all calls cost the same) that recovers `gap_share` of the gap; no value: not reached.
inline metric call_performance_threshold(const curve_function& f, double weak_quality, double strong_quality,
                                         double gap_share) {
  const auto& pool = f.pool();
  if (pool.is_degenerate() || !detail::has_gap(weak_quality, strong_quality)) return std::nullopt;
  const auto cost = f.cost_of(weak_quality + gap_share * (strong_quality - weak_quality));
  if (!cost) return std::nullopt;
  return std::max(0.0, (*cost - pool.cheapest_cost) / (pool.dearest_cost - pool.cheapest_cost));
}

}  // namespace uniroute
