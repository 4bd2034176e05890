#pragma once

// An encoder seen along the principal axes of the prompts it was fitted on.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/principal_axes.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How many directions `projected` keeps.
struct projected_options {
  std::size_t dimension = 64;  ///< k, at least 1 and at most that of the encoder

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("dimension", of.dimension); }
};

/// A (φ(x) - mean), scaled to length 1: k dimensions instead of D, those of largest variance over the prompts of `fit`.
/// Take it where cells or a kernel suffer from the many directions of a sentence encoder that say nothing.
/// Cost beside the encoder's: k D. Thread-safe as the encoder is.
template <class Encoder>
class projected {
  static_assert(encoder<Encoder>,
                "projected<Encoder>: Encoder must be an encoder (concepts/encoder.hpp): fit, encode, "
                "dimension, save and load");

 public:
  /// Throws std::invalid_argument for dimension 0.
  explicit projected(Encoder reader = Encoder{}, projected_options options = {})
      : options_(options), reader_(std::move(reader)) {
    detail::require(options.dimension >= 1, "projected: dimension is 0, but must be at least 1");
  }

  /// Fits the encoder, then the axes. Throws std::invalid_argument for no prompts or a dimension above the encoder's.
  void fit(std::span<const std::string> prompts) {
    detail::require(!prompts.empty(), "projected::fit: prompts has 0 entries, but must have at least 1");
    Encoder reader = reader_;
    reader.fit(prompts);
    detail::require(options_.dimension <= reader.dimension(), "projected::fit: dimension is ", options_.dimension,
                    ", but must be at most the encoder's ", reader.dimension());
    axes_ = detail::find_principal_axes(reader.encode(prompts), options_.dimension);
    reader_ = std::move(reader);
  }

  std::size_t dimension() const noexcept { return options_.dimension; }  ///< k

  /// n x k. Throws not_fitted.
  embedding_matrix encode(std::span<const std::string> prompts) const {
    require_fitted();
    const auto x = reader_.encode(prompts);
    auto out = make_matrix<float>(rows(x), dimension());
    std::vector<float> centred(columns(x));
    for (std::size_t i = 0; i < rows(x); ++i) {
      axes_.project(row(x, i).data(), centred.data(), row(out, i).data());
      detail::to_unit_length(row(out, i));
    }
    return out;
  }

  /// Into out (k values). Throws not_fitted, std::invalid_argument for another size.
  void encode(std::string_view prompt, std::span<float> out) const {
    require_fitted();
    detail::require(out.size() == dimension(), "projected::encode: out has ", out.size(), " values, but must have ",
                    dimension());
    thread_local std::vector<float> buffer;
    const std::size_t d = axes_.mean.size();
    buffer.resize(std::max(buffer.size(), 2 * d));

    reader_.encode(prompt, std::span<float>(buffer).first(d));
    axes_.project(buffer.data(), buffer.data() + d, out.data());
    detail::to_unit_length(out);
  }

  state save() const {
    require_fitted();
    return detail::save_members(*this);
  }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      const auto& axes = next.axes_.axes;
      const std::size_t d = next.axes_.mean.size();
      detail::require_state(columns(axes) == d && d == next.reader_.dimension() && rows(axes) >= 1 && rows(axes) <= d,
                            "projected: axes must be k x D and mean have D values, D that of the encoder");
      next.options_.dimension = rows(axes);
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("encoder", of.reader_);
    visit("options", of.options_);
    visit("mean", of.axes_.mean);
    visit("axes", of.axes_.axes);
  }

 private:
  void require_fitted() const { detail::require<not_fitted>(!axes_.mean.empty(), "projected: fit must come first"); }

  projected_options options_;
  [[no_unique_address]] Encoder reader_;
  detail::principal_axes axes_;
};

}  // namespace uniroute
