#pragma once

// Two transforms side by side.

#include <cassert>
#include <cmath>
#include <cstddef>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/transform/raw_embedding.hpp>
#include <utility>

namespace uniroute {

/// How much each part of a `concatenation` counts.
struct concatenation_options {
  double first_weight = 1, second_weight = 1;  ///< finite, at least 0: what each part is multiplied by

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("first_weight", of.first_weight);
    visit("second_weight", of.second_weight);
  }
};

/// x → [w₁ First(x), w₂ Second(x)]. Squared distances and linear kernels of the result are w₁² and w₂² times the
/// parts'. Nest it for more than two. Const members are thread-safe.
template <class First, class Second>
class concatenation {
  static_assert(embedding_transform<First>,
                "concatenation: First must model embedding_transform: fit(embeddings, losses), apply(embeddings), "
                "apply(embedding, out), dimension(), input_dimension(), save, load");
  static_assert(embedding_transform<Second>,
                "concatenation: Second must model embedding_transform: fit(embeddings, losses), apply(embeddings), "
                "apply(embedding, out), dimension(), input_dimension(), save, load");

 public:
  static constexpr bool learns_from_outcomes =
      uniroute::learns_from_outcomes<First> || uniroute::learns_from_outcomes<Second>;

  /// Throws std::invalid_argument for a negative or infinite weight.
  explicit concatenation(First first = First{}, Second second = Second{}, concatenation_options options = {})
      : first_(std::move(first)), second_(std::move(second)), options_(options) {
    for (const double w : {options.first_weight, options.second_weight})
      detail::require(w >= 0 && std::isfinite(w), "concatenation: a weight is ", w,
                      ", but must be finite and at least 0");
  }

  /// Throws what the two throw; then *this is as it was.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    concatenation next(*this);
    next.first_.fit(x, losses);
    next.second_.fit(x, losses);
    *this = std::move(next);
  }

  std::size_t dimension() const noexcept { return first_.dimension() + second_.dimension(); }
  std::size_t input_dimension() const noexcept { return first_.input_dimension(); }
  const First& first() const noexcept { return first_; }
  const Second& second() const noexcept { return second_; }

  /// n x (d₁ + d₂). Throws not_fitted, std::invalid_argument, std::domain_error.
  embedding_matrix apply(const embedding_matrix& x) const {
    detail::check_input("concatenation::apply", x, input_dimension());
    const embedding_matrix a = first_.apply(x), b = second_.apply(x);
    auto out = make_matrix<float>(rows(x), columns(a) + columns(b));
    for (std::size_t i = 0; i < rows(x); ++i) {
      const auto to = row(out, i);
      scale(row(a, i), options_.first_weight, to.first(columns(a)));
      scale(row(b, i), options_.second_weight, to.subspan(columns(a)));
    }
    return out;
  }
  /// Unchecked in release; allocates nothing after the first call on a thread if the two do not.
  void apply(embedding_view x, std::span<float> out) const {
    assert(out.size() == dimension());
    const auto a = out.first(first_.dimension()), b = out.subspan(first_.dimension());
    first_.apply(x, a);
    second_.apply(x, b);
    scale(a, options_.first_weight, a);
    scale(b, options_.second_weight, b);
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      concatenation(next.first_, next.second_, next.options_);
      detail::require_state(next.first_.input_dimension() == next.second_.input_dimension(),
                            "first and second must read embeddings of one dimension");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("first", of.first_);
    visit("second", of.second_);
  }

 private:
  static void scale(embedding_view from, double weight, std::span<float> to) noexcept {
    for (std::size_t j = 0; j < to.size(); ++j) to[j] = static_cast<float>(weight * static_cast<double>(from[j]));
  }

  First first_;
  Second second_;
  concatenation_options options_;
};

static_assert(embedding_transform<concatenation<raw_embedding, raw_embedding>>);

}  // namespace uniroute
