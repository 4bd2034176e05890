#pragma once

// How policies put themselves into a state: a name for each, and one list of an options struct's members for all uses.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <uniroute/errors.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// The type's name without namespaces and template arguments, the same by every compiler.
template <class T>
std::string base_name() {
#if defined(__clang__) || defined(__GNUC__)
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of("<;]"));
  const std::size_t colons = text.rfind("::");
  return std::string(colons == std::string_view::npos ? text : text.substr(colons + 2));
#else
#error "uniroute: a policy's name is read from __PRETTY_FUNCTION__, which this compiler lacks"
#endif
}

template <class T>
struct type_name {
  static std::string get() { return base_name<T>(); }
};
template <template <class...> class Policy, class... Parts>
struct type_name<Policy<Parts...>> {
  static std::string get() {
    std::string out = base_name<Policy<Parts...>>(), list;
    ((list += (list.empty() ? "" : ", ") + type_name<Parts>::get()), ...);
    return out + "<" + list + ">";
  }
};

/// What a saved policy is called: `cell_predictor<kmeans<plus_plus_seeding>, nearest_map, cell_mean>`.
template <class Policy>
std::string policy_name() {
  return type_name<Policy>::get();
}

/// The state of a policy, with its name.
template <class Policy>
state named_state(const Policy& policy) {
  state out = policy.save();
  out.set("policy", policy_name<Policy>());
  return out;
}

/// Loads what `named_state` gave into a policy of the same type.
/// Throws format_error with both names for one of another type, and then the policy is as it was.
template <class Policy>
void load_named(Policy& policy, const state& s) {
  const std::string mine = policy_name<Policy>();
  const auto& saved = s.get<std::string>("policy");
  if (saved == mine) return policy.load(s);
  if (saved.substr(0, saved.find('<')) == mine.substr(0, mine.find('<'))) {
    Policy probe(policy);  // a part may say more exactly what differs
    probe.load(s);
  }
  throw format_error("state", 0, 0, "was saved by '" + saved + "', but is loaded into '" + mine + "'");
}

/// Options say what they are made of once: `static void members(auto& options, auto&& visit)` calls visit(name, member)
/// for each; callbacks and numbers of threads, which change no result, are left out.
template <class Options>
concept has_members = requires(Options& o) {
  Options::members(o, [](const char*, auto&) {});
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Stores the members of an options struct under `prefix/`.
template <has_members Options>
void write_members(state& out, const std::string& prefix, const Options& options) {
  Options::members(options, [&]<class T>(const char* name, const T& member) {
    const std::string key = prefix + "/" + name;
    if constexpr (has_members<T>) {
      write_members(out, key, member);
    } else if constexpr (is_optional<T>) {
      // Infinity is no JSON number, so that it goes as an array; none: nothing was given.
      out.set(key, member ? std::vector<double>{static_cast<double>(*member)} : std::vector<double>{});
    } else if constexpr (std::is_enum_v<T> || (std::is_integral_v<T> && !std::same_as<T, bool>)) {
      out.set(key, static_cast<std::uint64_t>(member));
    } else {
      out.set(key, member);
    }
  });
}

/// The options with the members that `write_members` stored; what it leaves out is as it was. Throws format_error.
template <has_members Options>
Options read_members(const state& s, const std::string& prefix, Options options) {
  Options::members(options, [&]<class T>(const char* name, T& member) {
    const std::string key = prefix + "/" + name;
    if constexpr (has_members<T>) {
      member = read_members(s, key, member);
    } else if constexpr (is_optional<T>) {
      const auto& values = s.get<std::vector<double>>(key);
      require_state(values.size() <= 1, "'" + key + "' must be one number or none");
      if constexpr (std::is_integral_v<typename T::value_type>)
        require_state(values.empty() || (values[0] >= 0 && values[0] < 0x1p53), "'" + key + "' must be a count");
      member = values.empty() ? T{} : T{static_cast<typename T::value_type>(values[0])};
    } else if constexpr (std::is_enum_v<T> || (std::is_integral_v<T> && !std::same_as<T, bool>)) {
      const auto number = s.get<std::uint64_t>(key);
      // Enumerations here have fewer than eight values, in order.
      if constexpr (std::is_enum_v<T>) require_state(number < 8, "'" + key + "' must be one of its enumerators");
      member = static_cast<T>(number);
    } else {
      member = s.get<T>(key);
    }
  });
  return options;
}

/// What `make` gives for the options that were saved, whatever it refuses as a format_error.
template <has_members Options, class Make>
auto remade_like(const state& s, const Options& options, Make&& make) {
  const Options saved = read_members(s, "options", options);
  try {
    return make(saved);
  } catch (const format_error&) {
    throw;
  } catch (const std::logic_error& error) {
    throw format_error("state", 0, 0, error.what());
  }
}

/// A policy made of the options that were saved, checked as its constructor checks them; further arguments as they
/// are. Throws format_error.
template <class Policy, has_members Options, class... Others>
Policy remade(const state& s, const Options& options, const Others&... others) {
  return remade_like(s, options, [&](const Options& saved) { return Policy(saved, others...); });
}

}  // namespace uniroute::detail
