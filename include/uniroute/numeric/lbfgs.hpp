#pragma once

// Limited-memory BFGS for smooth functions of many variables: two-loop recursion, weak Wolfe line search.

#include <cmath>
#include <cstddef>
#include <deque>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace uniroute::detail {

struct lbfgs_options {
  std::size_t max_steps = 30;
  std::size_t memory = 8;            ///< pairs kept
  double first_length = 1;           ///< |x₁ - x₀| that the first line search tries
  double gradient_tolerance = 1e-7;  ///< stop when |gradient| is below this
  std::size_t max_evaluations = 20;  ///< of one line search; if none of them will do, the fit ends
};

inline double dot(std::span<const double> a, std::span<const double> b) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Minimises from x on, in place. `evaluate(x, gradient)` returns f and writes the gradient; `on_step(step, x, f)` is
/// called after each step, counted from 1, and ends the fit by returning false. Returns the number of steps.
/// Nocedal and Wright 2006, algorithms 7.4 and 7.5; the line search is Lewis and Overton's (2013) bisection.
template <class Evaluate, class OnStep>
std::size_t minimise_lbfgs(std::vector<double>& x, const lbfgs_options& options, Evaluate&& evaluate,
                           OnStep&& on_step) {
  struct pair {
    std::vector<double> s, y;
    double rho;
  };
  const std::size_t n = x.size();
  std::vector<double> gradient(n), direction(n), next(n), next_gradient(n), weights(options.memory);
  std::deque<pair> pairs;
  double value = evaluate(std::span<const double>(x), std::span<double>(gradient));
  for (std::size_t step = 1; step <= options.max_steps; ++step) {
    const double norm = std::sqrt(dot(gradient, gradient));
    if (!(norm > options.gradient_tolerance)) return step - 1;
    for (std::size_t i = 0; i < n; ++i) direction[i] = -gradient[i];
    for (std::size_t p = pairs.size(); p-- > 0;) {
      weights[p] = pairs[p].rho * dot(pairs[p].s, direction);
      for (std::size_t i = 0; i < n; ++i) direction[i] -= weights[p] * pairs[p].y[i];
    }
    const double scale =
        pairs.empty() ? options.first_length / norm : 1 / (pairs.back().rho * dot(pairs.back().y, pairs.back().y));
    for (double& d : direction) d *= scale;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const double weight = weights[p] - pairs[p].rho * dot(pairs[p].y, direction);
      for (std::size_t i = 0; i < n; ++i) direction[i] += weight * pairs[p].s[i];
    }
    const double slope = dot(gradient, direction);
    if (!(slope < 0)) return step - 1;

    double length = 1, low = 0, high = std::numeric_limits<double>::infinity(), next_value = 0;
    bool found = false;
    for (std::size_t e = 0; e < options.max_evaluations && !found; ++e) {
      for (std::size_t i = 0; i < n; ++i) next[i] = x[i] + length * direction[i];
      next_value = evaluate(std::span<const double>(next), std::span<double>(next_gradient));
      if (!(next_value <= value + 1e-4 * length * slope)) {
        high = length;
      } else if (dot(next_gradient, direction) < 0.9 * slope) {
        low = length;
      } else {
        found = true;
        break;
      }
      length = high < std::numeric_limits<double>::infinity() ? (low + high) / 2 : 2 * low;
    }
    if (!found) return step - 1;

    pair fresh{std::vector<double>(n), std::vector<double>(n), 0};
    for (std::size_t i = 0; i < n; ++i) {
      fresh.s[i] = next[i] - x[i];
      fresh.y[i] = next_gradient[i] - gradient[i];
    }
    const double curvature = dot(fresh.s, fresh.y);
    if (curvature > 0) {
      fresh.rho = 1 / curvature;
      if (pairs.size() == options.memory) pairs.pop_front();
      pairs.push_back(std::move(fresh));
    }
    std::swap(x, next);
    std::swap(gradient, next_gradient);
    value = next_value;
    if (!on_step(step, std::span<const double>(x), value)) return step;
  }
  return options.max_steps;
}

}  // namespace uniroute::detail
