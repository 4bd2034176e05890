#pragma once

// Curves, metrics and summaries once more, in plain loops, from the words of docs/evaluate.md. Shares nothing with the
// library but the tests of stats/, which have tables of their own.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <support/reference/bounds.hpp>
#include <vector>

namespace reference {

struct point {
  double cost = 0, quality = 0, coverage = 0;
  column shares;
};

/// Means over the prompts of the choices at a price: a missing outcome counts as the mean over the observed choices of
/// its model, as the model's mean over the sample if there is none, as 1/2 if it was never observed.
inline point realise(const std::vector<std::size_t>& choice, const table& losses, const table& costs) {
  const std::size_t n = losses.size(), m = losses[0].size();
  point out;
  out.shares.assign(m, 0.0);
  double loss = 0;
  for (std::size_t h = 0; h < m; ++h) {
    double chosen = 0, observed = 0, sum = 0, all = 0, all_sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!absent(losses[i][h])) {
        all += 1;
        all_sum += losses[i][h];
      }
      if (choice[i] != h) continue;
      chosen += 1;
      out.cost += costs[i][h] / static_cast<double>(n);
      if (absent(losses[i][h])) continue;
      observed += 1;
      sum += losses[i][h];
    }
    const double mean = observed > 0 ? sum / observed : all > 0 ? all_sum / all : .5;
    loss += chosen * mean / static_cast<double>(n);
    out.coverage += observed / static_cast<double>(n);
    out.shares[h] = chosen / static_cast<double>(n);
  }
  out.quality = 1 - loss;
  return out;
}

/// All prices at which some prompt may change its model, rising; 0 first.
inline column prices(const table& predicted, const table& estimates) {
  column out{0};
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    for (std::size_t a = 0; a < predicted[i].size(); ++a) {
      for (std::size_t b = 0; b < predicted[i].size(); ++b) {
        const double lambda = (predicted[i][a] - predicted[i][b]) / (estimates[i][b] - estimates[i][a]);
        if (estimates[i][b] > estimates[i][a] && lambda > 0) out.push_back(lambda);
      }
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

struct knot {
  double cost, quality;
};

enum class envelope { none, running_maximum, hull };

/// Quality as a function of cost: points with the cheapest single model on the left if they do not reach it, those of
/// one cost merged to their mean (to the better under an envelope), straight lines between, or steps.
struct function {
  std::vector<knot> knots;
  envelope over = envelope::none;
  bool step = false;

  function(std::vector<knot> points, knot cheapest, envelope e, bool steps) : over(e), step(steps) {
    double first = std::numeric_limits<double>::infinity();
    for (const knot& p : points) first = std::min(first, p.cost);
    if (first > cheapest.cost) points.push_back(cheapest);
    column costs;
    for (const knot& p : points) costs.push_back(p.cost);
    std::sort(costs.begin(), costs.end());
    costs.erase(std::unique(costs.begin(), costs.end()), costs.end());
    for (const double c : costs) {
      double sum = 0, count = 0, best = -1;
      for (const knot& p : points) {
        if (p.cost != c) continue;
        sum += p.quality;
        count += 1;
        best = std::max(best, p.quality);
      }
      knots.push_back({c, e == envelope::none ? sum / count : best});
    }
    if (e == envelope::running_maximum) {
      for (std::size_t i = 1; i < knots.size(); ++i)
        knots[i].quality = std::max(knots[i].quality, knots[i - 1].quality);
    }
  }

  double at(double cost) const {
    if (cost <= knots.front().cost) return knots.front().quality;
    if (over == envelope::hull && !step) {  // the best mixture of two points that can be afforded
      double best = -1;
      for (const knot& a : knots) {
        if (a.cost > cost) continue;
        best = std::max(best, a.quality);
        for (const knot& b : knots) {
          if (b.cost <= cost) continue;
          const double t = (cost - a.cost) / (b.cost - a.cost);
          best = std::max(best, (1 - t) * a.quality + t * b.quality);
        }
      }
      return best;
    }
    for (std::size_t i = 1; i < knots.size(); ++i) {
      if (knots[i].cost <= cost) continue;
      if (step) return knots[i - 1].quality;
      const double t = (cost - knots[i - 1].cost) / (knots[i].cost - knots[i - 1].cost);
      return (1 - t) * knots[i - 1].quality + t * knots[i].quality;
    }
    return knots.back().quality;
  }

  /// Piece by piece between knots; a piece is straight, so that its value in the middle is its mean.
  double integral(double a, double b) const {
    column ends{a, b};
    for (const knot& k : knots) {
      if (k.cost > a && k.cost < b) ends.push_back(k.cost);
    }
    std::sort(ends.begin(), ends.end());
    double sum = 0;
    for (std::size_t i = 1; i < ends.size(); ++i) sum += (ends[i] - ends[i - 1]) * at((ends[i] + ends[i - 1]) / 2);
    return sum;
  }

  /// The least cost up to `dearest` at which the quality is reached, by halving between knots of a rising piece.
  std::optional<double> cost_of(double quality, double dearest) const {
    column ends{dearest};
    for (const knot& k : knots) {
      if (k.cost < dearest) ends.push_back(k.cost);
    }
    std::sort(ends.begin(), ends.end());
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (at(ends[i]) < quality - 1e-12) continue;
      if (i == 0 || step) return ends[i];
      double low = ends[i - 1], high = ends[i];
      for (int s = 0; s < 200; ++s) {
        const double middle = (low + high) / 2;
        (at(middle) < quality - 1e-12 ? low : high) = middle;
      }
      return high;
    }
    return {};
  }
};

inline double mean(const column& values) {
  double sum = 0;
  for (const double v : values) sum += v / static_cast<double>(values.size());
  return sum;
}

}  // namespace reference
