#pragma once

// A table that says of itself that nothing was fitted, enrolled or chosen on it, and that is spent by use.

#include <cstddef>
#include <memory>
#include <type_traits>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What promises that need independence take instead of a table: `held_out{split.test}`. The type is the caller's word;
/// what can be checked (prompts that a router was fitted or enrolled on) is checked where it is used.
///
/// A sample is spent by use: whatever is chosen after it was looked at is no longer independent of it. A promise on the
/// prompts that chose among 100 routers was wrong in more than half of runs. So it can be moved and not copied, and
/// what promises takes it for good: `certify_held_out(router, std::move(sample), level)`. For several promises that
/// shall hold at once, δ is split beforehand (`shares`); to use it again all the same is a choice that is written down
/// (`reused`).
template <class Loss>
class held_out {
 public:
  using loss_type = Loss;

  explicit held_out(basic_routing_table<Loss> table)
      : table_(std::make_shared<const basic_routing_table<Loss>>(std::move(table))) {}
  held_out(held_out&&) noexcept = default;
  held_out& operator=(held_out&&) noexcept = default;

  /// Throws std::logic_error for a sample that was handed over already.
  const basic_routing_table<Loss>& table() const {
    detail::require<std::logic_error>(table_ != nullptr,
                                      "held_out::table: the sample was handed over, but a sample is spent by use");
    return *table_;
  }

  /// The part of δ that a promise on this sample may spend, in (0, 1]: asked for 1 − δ, it is made at 1 − share · δ.
  double share() const noexcept { return share_; }

  /// `count` samples of the same prompts, each with an equal part of δ: promises made on them, in any order and
  /// whatever is chosen in between, hold all at once with the probability asked for. Throws std::invalid_argument for
  /// 0.
  std::vector<held_out> shares(std::size_t count) && {
    detail::require(count != 0, "held_out::shares: count is 0, but must be at least 1");
    table();
    std::vector<held_out> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(held_out(table_, share_ / static_cast<double>(count)));
    table_.reset();
    return out;
  }

  /// The same prompts once more, with all of its share: the caller takes the word for it that nothing was chosen on
  /// them since, or that what is made of them is no promise. Every further promise holds with its own probability only.
  held_out reused() const { return held_out((table(), table_), share_); }

 private:
  held_out(std::shared_ptr<const basic_routing_table<Loss>> table, double share)
      : table_(std::move(table)), share_(share) {}

  std::shared_ptr<const basic_routing_table<Loss>> table_;
  double share_ = 1;
};

namespace detail {

template <class T>
inline constexpr bool is_held_out = false;
template <class Loss>
inline constexpr bool is_held_out<held_out<Loss>> = true;

/// A held-out sample that was handed over, not lent.
template <class Sample>
inline constexpr bool is_handed_over = !std::is_lvalue_reference_v<Sample> && is_held_out<std::remove_cvref_t<Sample>>;

/// The sentence for one that was lent.
template <class Sample>
constexpr void require_handed_over() {
  static_assert(!is_held_out<std::remove_cvref_t<Sample>> || !std::is_lvalue_reference_v<Sample>,
                "held_out: the sample is spent by use: hand it over (std::move(sample)), split its delta beforehand "
                "(std::move(sample).shares(2)), or write down that it is used again (sample.reused())");
}

}  // namespace detail

}  // namespace uniroute
