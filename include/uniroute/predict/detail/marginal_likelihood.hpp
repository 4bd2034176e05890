#pragma once

// A kernel's shape and noise by the marginal likelihood of the seen LLMs' outcomes.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/outcome_columns.hpp>
#include <uniroute/numeric/tridiagonal.hpp>
#include <uniroute/outcome_target.hpp>
#include <uniroute/predict/detail/kernel_points.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// What a search over shapes and noises found. Nothing was learned if no target varies.
struct kernel_choice {
  std::size_t shape = 0;
  double noise = 0;  ///< infinite: the outcomes are best explained by a mean alone
  bool learned = false;
};

/// Noise per unit of signal: 2^-4 … 2^12, and infinity.
inline std::vector<double> noise_grid() {
  std::vector<double> out;
  for (int power = -4; power <= 12; ++power) out.push_back(std::ldexp(1.0, power));
  out.push_back(std::numeric_limits<double>::infinity());
  return out;
}

/// K less its row and column means: the kernel of the features about their mean over these prompts.
inline void centre_gram(matrix<double>& k) {
  const std::size_t n = rows(k);
  std::vector<double> mean(n, 0.0);
  double all = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) mean[i] += k(i, j) / static_cast<double>(n);
    all += mean[i] / static_cast<double>(n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) k(i, j) += all - mean[i] - mean[j];
  }
}

/// Each column less its mean.
inline void centre_columns(matrix<double>& f) {
  std::vector<double> mean(columns(f), 0.0);
  for (std::size_t i = 0; i < rows(f); ++i) {
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += f(i, j) / static_cast<double>(rows(f));
  }
  for (std::size_t i = 0; i < rows(f); ++i) {
    for (std::size_t j = 0; j < mean.size(); ++j) f(i, j) -= mean[j];
  }
}

/// Adds Σ_h log p(y_h | K, noise) to totals[noise], each LLM's signal variance at its own maximum:
/// -n/2 log(yᵀ C⁻¹ y) - 1/2 log det C with C = K + noise I (Rasmussen and Williams 2006, section 5.4.1), constants left
/// out. y has a row per target, centred; targets that do not vary say nothing. True if any does. K is centred as the
/// targets are: a kernel's constant part neither helps nor costs.
///
/// `basis` is K (n x n), or n x r features F with K = F Fᵀ; of these the smaller of K and FᵀF is reduced (with
/// C⁻¹ = (I - F (FᵀF + noise I)⁻¹ Fᵀ) / noise), the answer is the same. O(4 k³ / 3) for k = min(n, r), and O(k) for
/// each noise and target.
inline bool add_log_likelihood(matrix<double> basis, bool is_features, const matrix<double>& y,
                               std::span<const double> noises, std::span<double> totals) {
  const std::size_t n = columns(y);
  std::vector<double> variation;
  std::vector<std::size_t> varying;
  for (std::size_t h = 0; h < rows(y); ++h) {
    double sum = 0;
    for (const double v : row(y, h)) sum += v * v;
    if (sum <= 1e-12 * static_cast<double>(n)) continue;
    variation.push_back(sum);
    varying.push_back(h);
  }
  if (varying.empty()) return false;
  const std::size_t m = varying.size();
  matrix<double> rotated = take_rows(y, std::span<const std::size_t>(varying));
  const bool by_features = is_features && columns(basis) < n;
  if (is_features) {
    centre_columns(basis);
    const std::size_t r = columns(basis);
    if (by_features) {
      auto product = make_matrix<double>(m, r), scatter = make_matrix<double>(r, r);
      gemm<double>(op::as_is, op::as_is, m, r, n, 1, rotated.data(), n, basis.data(), r, 0, product.data(), r);
      gemm<double>(op::transposed, op::as_is, r, r, n, 1, basis.data(), r, basis.data(), r, 0, scatter.data(), r);
      rotated = std::move(product);
      basis = std::move(scatter);
    } else {
      basis = product_of_rows(basis, basis);
    }
  } else {
    centre_gram(basis);
  }
  const tridiagonal_form form(std::move(basis));
  const std::vector<double> eigenvalues = form.eigenvalues();
  form.rotate({rotated.data(), rotated.size()}, m);
  const double count = static_cast<double>(n), beyond = static_cast<double>(n - form.size());
  for (std::size_t s = 0; s < noises.size(); ++s) {
    const double noise = noises[s];
    matrix<double> z = rotated;
    if (std::isinf(noise)) {
      for (const double v : variation) totals[s] -= count / 2 * std::log(v);
      continue;
    }
    if (eigenvalues.size() != form.size() || !form.solve(noise, {z.data(), z.size()}, m)) {
      totals[s] = -std::numeric_limits<double>::infinity();
      continue;
    }
    double log_determinant = beyond * std::log(noise);
    for (const double e : eigenvalues) log_determinant += std::log(e + noise);
    for (std::size_t h = 0; h < m; ++h) {
      const std::span<const double> left = row(rotated, h), right = row(z, h);
      double fit = std::inner_product(left.begin(), left.end(), right.begin(), 0.0);
      if (by_features) fit = (variation[h] - fit) / noise;
      totals[s] -= (count * std::log(std::max(fit, 1e-300)) + log_determinant) / 2;
    }
  }
  return true;
}

/// `count` of 0 … n - 1, evenly spaced: a subsample that depends on n alone.
inline std::vector<std::size_t> evenly_spaced(std::size_t n, std::size_t count) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(i * n / count);
  return out;
}

/// Chooses shape and noise for `fitted` (fitted to x and losses) by the evidence of the targets on at most `limit`
/// evenly spaced training prompts; fewer if there are several shapes or patterns of missing outcomes, so that the work
/// stays that of one factorisation of `limit`, but not below 100. For a kernel that learns from outcomes, that evidence
/// would be of its own making: it is fitted anew to every other LLM on the other prompts, and judged by the LLMs left
/// out, then the other way round.
template <kernel Kernel>
kernel_choice choose_by_marginal_likelihood(Kernel fitted, const embedding_matrix& x, const loss_matrix& losses,
                                            outcome_target target, std::span<const double> noises, std::size_t limit) {
  const std::size_t n = rows(x), m = columns(losses), shapes = shapes_of(fitted);
  const bool hold_out = learns_from_outcomes<Kernel> && m >= 2 && n >= 4;
  const std::size_t folds = hold_out ? 2 : 1, most_groups = 16;
  if constexpr (feature_kernel<Kernel>) {
    if (fitted.feature_count() <= limit / 8) limit *= 4;
  }
  const std::size_t groups =
      std::clamp<std::size_t>(group_columns(targets_of(target, losses)).size(), 1, most_groups * folds);
  const double parts = static_cast<double>(shapes * std::max(folds, groups));
  std::size_t size =
      std::max<std::size_t>(100, static_cast<std::size_t>(static_cast<double>(limit) / std::cbrt(parts)));
  size = std::min(size, hold_out ? n / 2 : n);
  const std::vector<std::size_t> sample = evenly_spaced(n, hold_out ? std::min(limit, n / 2) : n);
  std::vector<std::size_t> others;
  for (std::size_t i = 0, at = 0; i < n; ++i) {
    if (at < sample.size() && sample[at] == i) {
      ++at;
    } else {
      others.push_back(i);
    }
  }
  matrix<double> totals = make_matrix<double>(shapes, noises.size(), 0.0);
  kernel_choice out;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::vector<std::size_t> judges, kept;
    for (std::size_t h = 0; h < m; ++h) (hold_out && h % 2 != fold ? kept : judges).push_back(h);
    Kernel trial = fitted;
    if (hold_out) {
      const loss_matrix seen = take(losses, others, kept);
      if (std::all_of(seen.begin(), seen.end(), [](double v) { return is_missing(v); })) continue;
      trial.fit(take_rows(x, std::span<const std::size_t>(others)), seen);
    }
    const loss_matrix judged = targets_of(target, take(losses, sample, judges));
    const auto patterns = group_columns(judged);
    for (std::size_t g = 0; g < std::min(patterns.size(), most_groups); ++g) {
      column_group part{{}, patterns[g].columns};
      std::vector<std::size_t> prompts;
      for (const std::size_t i : evenly_spaced(patterns[g].rows.size(), std::min(size, patterns[g].rows.size()))) {
        part.rows.push_back(patterns[g].rows[i]);
        prompts.push_back(sample[patterns[g].rows[i]]);
      }
      const matrix<double> y = centred_targets(judged, part);
      const embedding_matrix there = take_rows(x, std::span<const std::size_t>(prompts));
      for (std::size_t shape = 0; shape < shapes; ++shape) {
        choose_shape(trial, shape);
        if constexpr (feature_kernel<Kernel>) {
          out.learned |= add_log_likelihood(trial.features(there), true, y, noises, row(totals, shape));
        } else {
          const auto points = trial.place(there);
          out.learned |= add_log_likelihood(trial.gram(points, points), false, y, noises, row(totals, shape));
        }
      }
    }
  }
  if (!out.learned) return out;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t shape = 0; shape < shapes; ++shape) {
    for (std::size_t s = 0; s < noises.size(); ++s) {
      if (totals(shape, s) <= best) continue;
      best = totals(shape, s);
      out.shape = shape;
      out.noise = noises[s];
    }
  }
  return out;
}

}  // namespace uniroute::detail
