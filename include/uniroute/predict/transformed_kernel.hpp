#pragma once

// Any kernel in the space of any transform.

#include <cassert>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/concepts/kernel.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/predict/detail/kernel_points.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

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

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("transform", of.transform_);
    visit("inner", of.inner_);
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

}  // namespace uniroute
