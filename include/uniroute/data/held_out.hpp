#pragma once

// A table that says of itself that nothing was fitted, enrolled or chosen on it.

#include <uniroute/data/routing_table.hpp>
#include <utility>

namespace uniroute {

/// What promises that need independence take instead of a table: `held_out{split.test}`. The type is the caller's word;
/// what can be checked (prompts that a router was fitted or enrolled on) is checked where it is used.
template <class Loss>
class held_out {
 public:
  using loss_type = Loss;

  explicit held_out(basic_routing_table<Loss> table) : table_(std::move(table)) {}
  const basic_routing_table<Loss>& table() const noexcept { return table_; }

 private:
  basic_routing_table<Loss> table_;
};

namespace detail {

template <class T>
inline constexpr bool is_held_out = false;
template <class Loss>
inline constexpr bool is_held_out<held_out<Loss>> = true;

}  // namespace detail

}  // namespace uniroute
