#pragma once

// Embeddings that come with the table, from any model outside the library.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>

namespace uniroute {

/// Stands where an encoder would and only sees that embeddings agree: the dimension of `fit`, and finite.
/// It has no `encode`: routing a text through it does not compile. Const members are thread-safe.
class precomputed_embeddings {
 public:
  /// Remembers D. Throws std::invalid_argument for no rows or columns, std::domain_error for non-finite values.
  void fit(const embedding_matrix& x) {
    detail::require(rows(x) >= 1 && columns(x) >= 1, "precomputed_embeddings::fit: embeddings is ", rows(x), " x ",
                    columns(x), ", but must be at least 1 x 1");
    detail::check_finite("precomputed_embeddings::fit", "embeddings", x);
    dimension_ = columns(x);
  }

  std::size_t dimension() const noexcept { return dimension_; }  ///< D; 0 before fit

  /// Throws not_fitted, std::invalid_argument for another dimension, std::domain_error for non-finite values.
  void check(const embedding_matrix& x) const {
    detail::require<not_fitted>(dimension_ != 0, "precomputed_embeddings::check: fit must come first");
    detail::require(columns(x) == dimension_, "precomputed_embeddings::check: embeddings has ", columns(x),
                    " columns, but must have ", dimension_);
    detail::check_finite("precomputed_embeddings::check", "embeddings", x);
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

static_assert(embedding_source<precomputed_embeddings>);
static_assert(!encoder<precomputed_embeddings>);

}  // namespace uniroute
