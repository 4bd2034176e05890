#pragma once

// Least squares with weights of at least zero, from normal equations: a handful of unknowns.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <vector>

namespace uniroute::detail {

/// Sums of the normal equations of y ≈ A w: AᵀA and Aᵀy, row by row.
class normal_equations {
 public:
  explicit normal_equations(std::size_t unknowns)
      : gram_(make_matrix<double>(unknowns, unknowns, 0.0)), right_(unknowns, 0.0) {}

  std::size_t size() const noexcept { return right_.size(); }

  void add(std::span<const double> a, double y, double weight = 1) noexcept {
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < size(); ++j) gram_(i, j) += weight * a[i] * a[j];
      right_[i] += weight * a[i] * y;
    }
  }

  /// Adds another system's rows.
  void add(const normal_equations& other) noexcept {
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < size(); ++j) gram_(i, j) += other.gram_(i, j);
      right_[i] += other.right_[i];
    }
  }

  /// Adds `strength` (w_i − towards)² for every unknown.
  void pull(double strength, double towards) noexcept {
    for (std::size_t i = 0; i < size(); ++i) {
      gram_(i, i) += strength;
      right_[i] += strength * towards;
    }
  }

  const matrix<double>& gram() const noexcept { return gram_; }
  const std::vector<double>& right() const noexcept { return right_; }

 private:
  matrix<double> gram_;
  std::vector<double> right_;
};

/// argmin |y − A w|² over w >= 0, by coordinate descent in a fixed order (Franc, Hlaváč and Navara 2005), to a relative
/// change of 1e-10. Unknowns whose column is zero get 0.
inline std::vector<double> nonnegative_least_squares(const normal_equations& of) {
  const std::size_t p = of.size();
  std::vector<double> w(p, 0.0), gradient(p);
  for (std::size_t i = 0; i < p; ++i) gradient[i] = -of.right()[i];  // of half the squared error, at w = 0
  for (std::size_t round = 0; round < 100000; ++round) {
    double largest_change = 0, largest = 0;
    for (std::size_t i = 0; i < p; ++i) {
      const double curvature = of.gram()(i, i);
      if (!(curvature > 0)) continue;
      const double next = std::max(0.0, w[i] - gradient[i] / curvature);
      const double change = next - w[i];
      w[i] = next;
      largest = std::max(largest, next);
      largest_change = std::max(largest_change, std::fabs(change));
      if (change == 0) continue;
      for (std::size_t j = 0; j < p; ++j) gradient[j] += change * of.gram()(j, i);
    }
    if (largest_change <= 1e-10 * largest) break;
  }
  return w;
}

}  // namespace uniroute::detail
