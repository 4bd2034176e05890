#pragma once

// The radial kernel: near prompts alike, far ones unrelated.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/predict/detail/kernel_points.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The widths that `rbf_kernel` chooses from.
struct rbf_options {
  /// The length scale as a multiple of the median distance of training prompts; several to choose from.
  std::vector<double> scales = {1, 0.5, 2, 4};
};

/// k(x, y) = exp(-|x - y|² / (2 (c m)²)), m the median distance between training prompts (of at most 256, evenly
/// spaced), c the chosen multiple (the first unless chosen). Const members are thread-safe.
class rbf_kernel {
 public:
  using points = embedding_matrix;
  static constexpr bool learns_from_outcomes = false;

  /// Throws std::invalid_argument unless there is a scale and all are positive and finite.
  explicit rbf_kernel(rbf_options options = {}) : options_(std::move(options)) {
    detail::require(!options_.scales.empty(), "rbf_kernel: scales has 0 entries, but must have at least 1");
    for (const double c : options_.scales)
      detail::require(c > 0 && std::isfinite(c), "rbf_kernel: a scale is ", c, ", but must be positive and finite");
  }

  /// Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("rbf_kernel::fit", x, losses);
    median_ = median_distance(x);
    chosen_ = 0;
  }

  std::size_t shapes() const noexcept { return options_.scales.size(); }
  void choose(std::size_t shape) noexcept {
    assert(shape < shapes());
    chosen_ = shape;
  }
  double length_scale() const noexcept { return options_.scales[chosen_] * median_; }  ///< c m; 0 before fit

  points place(const embedding_matrix& x) const { return x; }

  /// O(n m D), by a product.
  matrix<double> gram(const points& a, const points& b) const {
    const matrix<double> left = detail::widen(a), right = detail::widen(b);
    matrix<double> out = detail::product_of_rows(left, right);
    std::vector<double> norms(rows(b));
    for (std::size_t j = 0; j < norms.size(); ++j) norms[j] = detail::squared_norm(row(b, j).data(), columns(b));
    for (std::size_t i = 0; i < rows(a); ++i) {
      const double norm = detail::squared_norm(row(a, i).data(), columns(a));
      const auto to = row(out, i);
      for (std::size_t j = 0; j < to.size(); ++j) to[j] = value(norm + norms[j] - 2 * to[j]);
    }
    return out;
  }
  void gram(embedding_view one, const points& b, std::span<double> out) const noexcept {
    for (std::size_t j = 0; j < out.size(); ++j)
      out[j] = value(detail::squared_distance(one.data(), row(b, j).data(), one.size()));
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      detail::require_state(next.chosen_ < next.shapes(), "chosen must be below the number of scales");
      detail::require_state(next.median_ >= 0 && std::isfinite(next.median_), "median must be finite and at least 0");
      for (const double scale : next.options_.scales)
        detail::require_state(scale > 0 && std::isfinite(scale), "scales must be finite and above 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("median", of.median_);
    visit("scales", of.options_.scales);
    visit("chosen", of.chosen_);
  }

 private:
  /// Of zero if all prompts are the same: then so are all that match them, and nothing else.
  static double median_distance(const embedding_matrix& x) {
    const std::size_t n = std::min<std::size_t>(rows(x), 256);
    std::vector<double> distances;
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < a; ++b)
        distances.push_back(
            detail::squared_distance(row(x, a * rows(x) / n).data(), row(x, b * rows(x) / n).data(), columns(x)));
    }
    if (distances.empty()) return 1;
    const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
    std::nth_element(distances.begin(), middle, distances.end());
    return *middle > 0 ? std::sqrt(*middle) : 1;
  }

  double value(double squared) const noexcept {
    const double scale = length_scale();
    return std::exp(-std::max(squared, 0.0) / (2 * scale * scale));
  }

  rbf_options options_;
  double median_ = 0;
  std::size_t chosen_ = 0;
};

static_assert(gram_kernel<rbf_kernel> && tunable_kernel<rbf_kernel>);

}  // namespace uniroute
