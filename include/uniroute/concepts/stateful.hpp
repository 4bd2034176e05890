#pragma once

#include <concepts>
#include <uniroute/state.hpp>

namespace uniroute {

/// What every policy has: its fitted state can be taken out and put back.
///
/// Semantics: after `b.load(a.save())`, b behaves as a does, bit for bit. `load` throws format_error if something
/// is missing or of the wrong shape, and then *this is as it was.
template <class T>
concept stateful = std::copyable<T> && requires(T& policy, const T& fitted, const state& s) {
  { fitted.save() } -> std::same_as<state>;
  policy.load(s);
};

}  // namespace uniroute
