#pragma once

// How much of the scatter of cell means is real: moment estimators for one and two levels of cells.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace uniroute::detail {

/// Sums over LLMs of the moment equations of a nested one-way layout: outcome = μ_h + coarse + fine + noise, with
/// variances of coarse, fine and noise that all LLMs share and unequal counts (Searle, Casella and McCulloch 1992,
/// chapter 5: ANOVA estimators; with one coarse cell, DerSimonian and Laird 1986).
class nested_moments {
 public:
  /// One LLM: means and counts of its fine cells (count 0: empty), and the coarse cell, below `coarse`, of each.
  void add(std::span<const double> means, std::span<const double> counts, std::span<const std::uint32_t> parents,
           std::size_t coarse) {
    std::vector<double> n(coarse, 0.0), sum(coarse, 0.0), squares(coarse, 0.0), cells(coarse, 0.0);
    for (std::size_t k = 0; k < means.size(); ++k) {
      if (counts[k] <= 0) continue;
      n[parents[k]] += counts[k];
      sum[parents[k]] += counts[k] * means[k];
      squares[parents[k]] += counts[k] * counts[k];
      cells[parents[k]] += 1;
    }
    double total = 0, total_sum = 0, total_squares = 0, taken = 0, fine = 0;
    for (std::size_t c = 0; c < coarse; ++c) {
      if (n[c] <= 0) continue;
      total += n[c];
      total_sum += sum[c];
      total_squares += n[c] * n[c];
      taken += 1;
      fine += cells[c];
      fine_free_ += cells[c] - 1;
      fine_spread_ += n[c] - squares[c] / n[c];
    }
    if (fine < 2) return;
    for (std::size_t k = 0; k < means.size(); ++k) {
      if (counts[k] <= 0) continue;
      const double distance = means[k] - sum[parents[k]] / n[parents[k]];
      fine_ += counts[k] * distance * distance;
      within_ += counts[k] * means[k] * (1 - means[k]);  // exact for 0-1 losses, an upper bound for graded ones
    }
    within_free_ += std::max(0.0, total - fine);
    for (std::size_t c = 0; c < coarse; ++c) {
      if (n[c] <= 0) continue;
      const double distance = sum[c] / n[c] - total_sum / total;
      coarse_ += n[c] * distance * distance;
      coarse_fine_ += squares[c] / n[c] * (1 - n[c] / total);
    }
    coarse_free_ += taken - 1;
    coarse_spread_ += total - total_squares / total;
  }

  bool usable() const noexcept { return within_free_ > 0 && fine_spread_ + coarse_spread_ > 0; }

  /// Pseudo-outcomes of a coarse cell's prior: σ² / τ²_coarse. Infinity if coarse cells do not differ.
  double coarse_strength() const noexcept {
    if (noise() <= 0) return 0;
    const double excess = coarse_ - coarse_free_ * noise() - coarse_fine_ * fine_variance();
    return ratio(coarse_spread_ > 0 ? excess / coarse_spread_ : 0);
  }

  /// Pseudo-outcomes of a fine cell's prior: σ² / τ²_fine. Infinity if fine cells of one coarse cell do not differ.
  double fine_strength() const noexcept { return noise() <= 0 ? 0 : ratio(fine_variance()); }

 private:
  double noise() const noexcept { return within_ / within_free_; }
  double fine_variance() const noexcept {
    return fine_spread_ > 0 ? std::max(0.0, (fine_ - fine_free_ * noise()) / fine_spread_) : 0;
  }
  double ratio(double variance) const noexcept {
    return variance > 0 ? noise() / variance : std::numeric_limits<double>::infinity();
  }

  double within_ = 0, within_free_ = 0;                                        // of outcomes in fine cells
  double fine_ = 0, fine_free_ = 0, fine_spread_ = 0;                          // of fine means in coarse cells
  double coarse_ = 0, coarse_free_ = 0, coarse_spread_ = 0, coarse_fine_ = 0;  // of coarse means
};

}  // namespace uniroute::detail
