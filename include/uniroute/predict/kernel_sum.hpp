#pragma once

// Two kernels, weighted.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/predict/detail/kernel_points.hpp>
#include <uniroute/predict/linear_kernel.hpp>
#include <uniroute/predict/rbf_kernel.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The shares that `kernel_sum` chooses from.
struct kernel_sum_options {
  /// The share of the first kernel; several to choose from, the first where nothing is known. Half and half routed
  /// better on real tables than the share with the best evidence did, and costs less to fit.
  std::vector<double> shares = {0.5};
};

/// k(x, y) = w First(x, y) + (1 - w) Second(x, y). Its shapes are those of First times those of Second times the
/// shares. Const members are thread-safe.
template <class First, class Second>
class kernel_sum {
  static_assert(kernel<First>,
                "kernel_sum: First must model kernel: fit(embeddings, losses), and features(embeddings), "
                "features(embedding, out), feature_count(); or points, place(embeddings), gram(points, points), "
                "gram(embedding, points, out); save, load");
  static_assert(kernel<Second>,
                "kernel_sum: Second must model kernel: fit(embeddings, losses), and features(embeddings), "
                "features(embedding, out), feature_count(); or points, place(embeddings), gram(points, points), "
                "gram(embedding, points, out); save, load");
  static constexpr bool of_features = feature_kernel<First> && feature_kernel<Second>;

 public:
  using points = std::conditional_t<of_features, detail::no_points,
                                    std::pair<detail::points_of<First>, detail::points_of<Second>>>;
  static constexpr bool learns_from_outcomes =
      uniroute::learns_from_outcomes<First> || uniroute::learns_from_outcomes<Second>;

  /// Throws std::invalid_argument unless there is a share and all are in [0, 1].
  explicit kernel_sum(First first = First{}, Second second = Second{}, kernel_sum_options options = {})
      : first_(std::move(first)), second_(std::move(second)), options_(std::move(options)) {
    detail::require(!options_.shares.empty(), "kernel_sum: shares has 0 entries, but must have at least 1");
    for (const double w : options_.shares)
      detail::require(w >= 0 && w <= 1, "kernel_sum: a share is ", w, ", but must be in [0, 1]");
  }

  /// Throws what the two throw; *this is then as it was.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    kernel_sum next(*this);
    next.first_.fit(x, losses);
    next.second_.fit(x, losses);
    next.chosen_ = 0;
    *this = std::move(next);
  }

  const First& first() const noexcept { return first_; }
  const Second& second() const noexcept { return second_; }
  double share() const noexcept { return options_.shares[chosen_]; }  ///< w

  std::size_t shapes() const { return detail::shapes_of(first_) * detail::shapes_of(second_) * options_.shares.size(); }
  void choose(std::size_t shape) {
    assert(shape < shapes());
    chosen_ = shape % options_.shares.size();
    shape /= options_.shares.size();
    detail::choose_shape(first_, shape % detail::shapes_of(first_));
    detail::choose_shape(second_, shape / detail::shapes_of(first_));
  }

  std::size_t feature_count() const requires of_features { return first_.feature_count() + second_.feature_count(); }
  matrix<double> features(const embedding_matrix& x) const requires of_features {
    const matrix<double> a = first_.features(x), b = second_.features(x);
    auto out = make_matrix<double>(rows(x), columns(a) + columns(b));
    for (std::size_t i = 0; i < rows(x); ++i) {
      const auto to = row(out, i), left = to.first(columns(a)), right = to.subspan(columns(a));
      std::copy(row(a, i).begin(), row(a, i).end(), left.begin());
      std::copy(row(b, i).begin(), row(b, i).end(), right.begin());
      weigh(left, right, std::sqrt(share()), std::sqrt(1 - share()));
    }
    return out;
  }
  void features(embedding_view x, std::span<double> out) const requires of_features {
    const auto left = out.first(first_.feature_count()), right = out.subspan(first_.feature_count());
    first_.features(x, left);
    second_.features(x, right);
    weigh(left, right, std::sqrt(share()), std::sqrt(1 - share()));
  }

  points place(const embedding_matrix& x) const requires(!of_features) {
    return {detail::place_points(first_, x), detail::place_points(second_, x)};
  }
  matrix<double> gram(const points& a, const points& b) const requires(!of_features) {
    matrix<double> out = detail::gram_of(first_, a.first, b.first);
    const matrix<double> other = detail::gram_of(second_, a.second, b.second);
    for (std::size_t at = 0; at < out.size(); ++at)
      out.data()[at] = share() * out.data()[at] + (1 - share()) * other.data()[at];
    return out;
  }
  void gram(embedding_view x, const points& b, std::span<double> out) const requires(!of_features) {
    thread_local std::vector<double> other;
    other.resize(out.size());
    detail::gram_of(first_, x, b.first, out);
    detail::gram_of(second_, x, b.second, std::span<double>(other));
    for (std::size_t j = 0; j < out.size(); ++j) out[j] = share() * out[j] + (1 - share()) * other[j];
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      detail::require_state(next.chosen_ < next.options_.shares.size() && next.share() >= 0 && next.share() <= 1,
                            "chosen must be below the number of shares, which must be in [0, 1]");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("first", of.first_);
    visit("second", of.second_);
    visit("shares", of.options_.shares);
    visit("chosen", of.chosen_);
  }

 private:
  static void weigh(std::span<double> left, std::span<double> right, double w, double v) noexcept {
    for (double& f : left) f *= w;
    for (double& f : right) f *= v;
  }

  First first_;
  Second second_;
  kernel_sum_options options_;
  std::size_t chosen_ = 0;
};

static_assert(feature_kernel<kernel_sum<linear_kernel, linear_kernel>>);
static_assert(gram_kernel<kernel_sum<rbf_kernel, linear_kernel>>);

}  // namespace uniroute
