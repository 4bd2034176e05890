#pragma once

// Kernels: how much an LLM's losses on two prompts resemble each other. One for all LLMs.
//
// There are
//   linear_kernel       the embedding itself; with it a Gaussian process is ridge regression.
//   rbf_kernel          near prompts alike, far ones unrelated; its length scale is chosen.
//   transformed_kernel  any kernel in the space of any transform, such as skills.
//   kernel_sum          two kernels, with weights that are given or chosen. Linear + skills routes well everywhere.

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/affine_map.hpp>
#include <uniroute/detail/distance.hpp>
#include <uniroute/detail/kernel_points.hpp>
#include <uniroute/detail/transform_checks.hpp>
#include <uniroute/fwd.hpp>
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

  state save() const {
    state out;
    out.set("mean", mean_);
    out.set("scale", scale_);
    return out;
  }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    std::vector<double> mean = s.get<std::vector<double>>("mean");
    scale_ = s.get<double>("scale");
    mean_ = std::move(mean);
  }

 private:
  std::vector<double> mean_;
  double scale_ = 0;
};

static_assert(feature_kernel<linear_kernel>);

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

  state save() const {
    state out;
    out.set("median", median_);
    out.set("scales", options_.scales);
    out.set("chosen", std::uint64_t{chosen_});
    return out;
  }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    rbf_kernel next(*this);
    next.median_ = s.get<double>("median");
    next.options_.scales = s.get<std::vector<double>>("scales");
    next.chosen_ = static_cast<std::size_t>(s.get<std::uint64_t>("chosen"));
    detail::require_state(next.chosen_ < next.shapes(), "chosen must be below the number of scales");
    *this = std::move(next);
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

/// k(x, y) = Kernel's, at Transform(x) and Transform(y). Const members are thread-safe.
template <class Transform, class Kernel>
class transformed_kernel {
  static_assert(embedding_transform<Transform>,
                "transformed_kernel: Transform must model embedding_transform: fit(embeddings, losses), "
                "apply(embeddings), apply(embedding, out), dimension(), input_dimension(), save, load");
  static_assert(kernel<Kernel>,
                "transformed_kernel: Kernel must model kernel: fit(embeddings, losses), and features(embeddings), "
                "features(embedding, out), feature_count(); or points, place(embeddings), gram(points, points), "
                "gram(embedding, points, out); save, load");

 public:
  using points = detail::points_of<Kernel>;
  static constexpr bool learns_from_outcomes =
      uniroute::learns_from_outcomes<Transform> || uniroute::learns_from_outcomes<Kernel>;

  explicit transformed_kernel(Transform transform = Transform{}, Kernel inner = Kernel{})
      : transform_(std::move(transform)), inner_(std::move(inner)) {}

  /// Throws what the two throw; *this is then as it was.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    transformed_kernel next(*this);
    next.transform_.fit(x, losses);
    next.inner_.fit(next.transform_.apply(x), losses);
    *this = std::move(next);
  }

  const Transform& transform() const noexcept { return transform_; }
  const Kernel& inner() const noexcept { return inner_; }

  std::size_t shapes() const requires tunable_kernel<Kernel> { return inner_.shapes(); }
  void choose(std::size_t shape) requires tunable_kernel<Kernel> { inner_.choose(shape); }

  std::size_t feature_count() const requires feature_kernel<Kernel> { return inner_.feature_count(); }
  matrix<double> features(const embedding_matrix& x) const requires feature_kernel<Kernel> {
    return inner_.features(transform_.apply(x));
  }
  void features(embedding_view x, std::span<double> out) const requires feature_kernel<Kernel> {
    inner_.features(moved(x), out);
  }

  points place(const embedding_matrix& x) const requires gram_kernel<Kernel> {
    return inner_.place(transform_.apply(x));
  }
  matrix<double> gram(const points& a, const points& b) const requires gram_kernel<Kernel> { return inner_.gram(a, b); }
  void gram(embedding_view x, const points& b, std::span<double> out) const requires gram_kernel<Kernel> {
    inner_.gram(moved(x), b, out);
  }

  state save() const {
    state out;
    out.set("transform", transform_.save());
    out.set("inner", inner_.save());
    return out;
  }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    transformed_kernel next(*this);
    next.transform_.load(s.part("transform"));
    next.inner_.load(s.part("inner"));
    *this = std::move(next);
  }

 private:
  embedding_view moved(embedding_view x) const {
    thread_local std::vector<float> place;
    place.resize(transform_.dimension());
    transform_.apply(x, std::span<float>(place));
    return place;
  }

  Transform transform_;
  Kernel inner_;
};

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

  state save() const {
    state out;
    out.set("first", first_.save());
    out.set("second", second_.save());
    out.set("shares", options_.shares);
    out.set("chosen", std::uint64_t{chosen_});
    return out;
  }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    kernel_sum next(*this);
    next.first_.load(s.part("first"));
    next.second_.load(s.part("second"));
    next.options_.shares = s.get<std::vector<double>>("shares");
    next.chosen_ = static_cast<std::size_t>(s.get<std::uint64_t>("chosen"));
    detail::require_state(next.chosen_ < next.options_.shares.size() && next.share() >= 0 && next.share() <= 1,
                          "chosen must be below the number of shares, which must be in [0, 1]");
    *this = std::move(next);
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
