#pragma once

// Means over what was observed: missing outcomes are left out, never read as zero.

#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/missing.hpp>

namespace uniroute {

/// A sum over what was observed.
struct observed_sum {
  double sum = 0;
  double count = 0;

  void add(double value) noexcept {
    if (is_missing(value)) return;
    sum += value;
    count += 1;
  }
  double mean(double otherwise) const noexcept { return count > 0 ? sum / count : otherwise; }
};

/// The mean of what was observed, in order; `otherwise` where nothing was.
inline double observed_mean(std::span<const double> values, double otherwise) noexcept {
  observed_sum out;
  for (const double value : values) out.add(value);
  return out.mean(otherwise);
}

/// The same of column j.
inline double column_mean(const matrix<double>& values, std::size_t j, double otherwise) noexcept {
  observed_sum out;
  for (std::size_t i = 0; i < rows(values); ++i) out.add(values(i, j));
  return out.mean(otherwise);
}

/// The same of each column, 1 x M.
inline matrix<double> column_means(const matrix<double>& values, double otherwise = 0.5) {
  auto out = make_matrix<double>(1, columns(values), otherwise);
  for (std::size_t j = 0; j < columns(values); ++j) out(0, j) = column_mean(values, j, otherwise);
  return out;
}

}  // namespace uniroute
