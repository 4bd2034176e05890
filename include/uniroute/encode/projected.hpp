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
#include <uniroute/detail/principal_axes.hpp>
#include <uniroute/detail/state_members.hpp>
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
    state out;
    out.set("encoder", detail::named_state(reader_));
    detail::write_members(out, "options", options_);
    auto mean = make_matrix<float>(1, axes_.mean.size());
    std::copy(axes_.mean.begin(), axes_.mean.end(), mean.begin());
    out.set("mean", std::move(mean));
    out.set("axes", axes_.axes);
    return out;
  }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    Encoder reader = reader_;
    detail::load_named(reader, s.part("encoder"));
    detail::principal_axes axes;
    const auto& mean = s.get<matrix<float>>("mean");
    axes.mean.assign(mean.begin(), mean.end());
    axes.axes = s.get<matrix<float>>("axes");
    detail::require_state(columns(axes.axes) == axes.mean.size() && axes.mean.size() == reader.dimension() &&
                              rows(axes.axes) >= 1 && rows(axes.axes) <= columns(axes.axes),
                          "projected: axes must be k x D and mean have D values, D that of the encoder");
    const auto options = detail::read_members(s, "options", options_);
    reader_ = std::move(reader);
    options_ = options;
    options_.dimension = rows(axes.axes);
    axes_ = std::move(axes);
  }

 private:
  void require_fitted() const { detail::require<not_fitted>(!axes_.mean.empty(), "projected: fit must come first"); }

  projected_options options_;
  [[no_unique_address]] Encoder reader_;
  detail::principal_axes axes_;
};

}  // namespace uniroute
