#pragma once

// Two encoders side by side.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <utility>

namespace uniroute {

/// How much each part of `concatenated` counts.
struct concatenated_options {
  double first_share = 0.5;  ///< of squared distances, where both encoders give length 1; in (0, 1)

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("first_share", of.first_share); }
};

/// [√s first(x), √(1 - s) second(x)]: squared distances are the weighted mean of both encoders'. Nests, so that three
/// are concatenated{a, concatenated{b, c}}. Thread-safe as its parts are.
template <class First, class Second>
class concatenated {
  static_assert(encoder<First>,
                "concatenated<First, Second>: First must be an encoder (concepts/encoder.hpp): fit, "
                "encode, dimension, save and load");
  static_assert(encoder<Second>,
                "concatenated<First, Second>: Second must be an encoder (concepts/encoder.hpp): fit, "
                "encode, dimension, save and load");

 public:
  /// Whether `fit` learns: if that of either does.
  static constexpr bool learns = learns_from_prompts<First> || learns_from_prompts<Second>;

  /// Throws std::invalid_argument for a share outside (0, 1).
  explicit concatenated(First first = First{}, Second second = Second{}, concatenated_options options = {})
      : options_(options), first_(std::move(first)), second_(std::move(second)) {
    detail::require(options.first_share > 0 && options.first_share < 1, "concatenated: first_share is ",
                    options.first_share, ", but must be in (0, 1)");
  }

  /// Fits both, or neither if one throws.
  void fit(std::span<const std::string> prompts) {
    First first = first_;
    Second second = second_;
    first.fit(prompts);
    second.fit(prompts);
    first_ = std::move(first);
    second_ = std::move(second);
  }

  std::size_t dimension() const noexcept { return first_.dimension() + second_.dimension(); }
  const First& first() const noexcept { return first_; }
  const Second& second() const noexcept { return second_; }

  /// n x (D1 + D2). Throws what the parts throw.
  embedding_matrix encode(std::span<const std::string> prompts) const {
    const auto a = first_.encode(prompts);
    const auto b = second_.encode(prompts);
    auto out = make_matrix<float>(prompts.size(), dimension());
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto to = row(out, i);
      const auto from_a = row(a, i), from_b = row(b, i);
      std::copy(from_a.begin(), from_a.end(), to.begin());
      std::copy(from_b.begin(), from_b.end(), to.begin() + static_cast<std::ptrdiff_t>(from_a.size()));
      weigh(to);
    }
    return out;
  }

  /// Into out (D1 + D2 values). Throws std::invalid_argument for another size, and what the parts throw.
  void encode(std::string_view prompt, std::span<float> out) const {
    detail::require(out.size() == dimension(), "concatenated::encode: out has ", out.size(), " values, but must have ",
                    dimension());
    first_.encode(prompt, out.first(first_.dimension()));
    second_.encode(prompt, out.subspan(first_.dimension()));
    weigh(out);
  }

  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      const double share = next.options_.first_share;
      detail::require_state(share > 0 && share < 1, "concatenated: first_share must be in (0, 1)");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("first", of.first_);
    visit("second", of.second_);
    visit("options", of.options_);
  }

 private:
  void weigh(std::span<float> x) const noexcept {
    const auto a = static_cast<float>(std::sqrt(options_.first_share));
    const auto b = static_cast<float>(std::sqrt(1 - options_.first_share));
    for (float& value : x.first(first_.dimension())) value *= a;
    for (float& value : x.subspan(first_.dimension())) value *= b;
  }

  concatenated_options options_;
  [[no_unique_address]] First first_;
  [[no_unique_address]] Second second_;
};

}  // namespace uniroute
