#pragma once

// The linear kernel: with it a Gaussian process is ridge regression.

#include <cassert>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/affine_map.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// k(x, y) = (x - m) · (y - m) / s, with m the mean of the training prompts and s their mean squared distance from it.
/// Const members are thread-safe.
class linear_kernel {
 public:
  static constexpr bool learns_from_outcomes = false;

  /// Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("linear_kernel::fit", x, losses);
    std::vector<double> mean = detail::mean_of_rows(x);
    double spread = 0;
    for (std::size_t i = 0; i < rows(x); ++i) {
      const auto from = row(x, i);
      for (std::size_t j = 0; j < mean.size(); ++j) {
        const double v = static_cast<double>(from[j]) - mean[j];
        spread += v * v;
      }
    }
    spread /= static_cast<double>(rows(x));
    scale_ = spread > 0 ? 1 / std::sqrt(spread) : 0;
    mean_ = std::move(mean);
  }

  std::size_t feature_count() const noexcept { return mean_.size(); }  ///< D

  /// (x - m) / √s, n x D.
  matrix<double> features(const embedding_matrix& x) const {
    detail::check_input("linear_kernel::features", x, feature_count());
    auto out = make_matrix<double>(rows(x), columns(x));
    for (std::size_t i = 0; i < rows(x); ++i) features(row(x, i), row(out, i));
    return out;
  }
  void features(embedding_view x, std::span<double> out) const noexcept {
    assert(x.size() == mean_.size() && out.size() == mean_.size());
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = scale_ * (static_cast<double>(x[j]) - mean_[j]);
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("mean", of.mean_);
    visit("scale", of.scale_);
  }

 private:
  std::vector<double> mean_;
  double scale_ = 0;
};

static_assert(feature_kernel<linear_kernel>);

}  // namespace uniroute
