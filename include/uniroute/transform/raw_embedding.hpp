#pragma once

// The transform that changes nothing: a place holder in concatenations and comparisons.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/embedding_transform.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/state.hpp>

namespace uniroute {

/// x → x. Learns the dimension only. Const members are thread-safe.
class raw_embedding {
 public:
  static constexpr bool learns_from_outcomes = false;

  /// Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("raw_embedding::fit", x, losses);
    dimension_ = columns(x);
  }

  std::size_t dimension() const noexcept { return dimension_; }        ///< D; 0 before fit
  std::size_t input_dimension() const noexcept { return dimension_; }  ///< D; 0 before fit

  /// Throws not_fitted, std::invalid_argument, std::domain_error.
  embedding_matrix apply(const embedding_matrix& x) const {
    detail::check_input("raw_embedding::apply", x, dimension_);
    return x;
  }
  /// Unchecked in release.
  void apply(embedding_view x, std::span<float> out) const {
    assert(x.size() == dimension_ && out.size() == dimension_);
    std::copy(x.begin(), x.end(), out.begin());
  }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("dimension", of.dimension_); }

 private:
  std::size_t dimension_ = 0;
};

static_assert(embedding_transform<raw_embedding>);

}  // namespace uniroute
