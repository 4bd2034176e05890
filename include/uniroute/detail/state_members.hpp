#pragma once

// How policies put themselves into a state: a name for each, and one list of members for saving, loading and comparing.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
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

/// Policies and their options say what they are made of once: `static void members(auto& of, auto&& visit)` calls
/// visit(name, member) for each. Callbacks and numbers of threads, which change no result, and what is computed from
/// other members are left out.
template <class T>
concept has_members = requires(T& o) {
  T::members(o, [](std::string_view, auto&&) {});
};

/// One field of each element of a vector, as a member: profiles are saved as a matrix of losses and one of counts.
/// Reading wants `size` of them, or takes however many there are.
template <class Vector, class Field>
struct field_of {
  Vector& elements;
  std::size_t size;
  Field field;
};
template <class Vector, class Field>
field_of(Vector&, std::size_t, Field) -> field_of<Vector, Field>;
inline constexpr std::size_t any_size = static_cast<std::size_t>(-1);

/// An enumerator as a member that is saved by its name.
template <class Enum, std::size_t N>
struct by_name {
  Enum& value;
  const char* const (&names)[N];
};
template <class Enum, std::size_t N>
by_name(Enum&, const char* const (&)[N]) -> by_name<Enum, N>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_field = false;
template <class V, class F>
inline constexpr bool is_field<field_of<V, F>> = true;
template <class T>
inline constexpr bool is_by_name = false;
template <class E, std::size_t N>
inline constexpr bool is_by_name<by_name<E, N>> = true;
template <class T>
inline constexpr bool is_count = std::is_enum_v<T> || (std::is_integral_v<T> && !std::same_as<T, bool>);
template <class T>
concept saves_itself = requires(const T& part) {
  { part.save() } -> std::same_as<state>;
};
/// A name list or a table of centroids, which is kept as what it is made from.
template <class T>
concept names_models = requires(T& roster, std::vector<std::string> names) {
  roster.assign(std::move(names));
  roster.list();
};
template <class T>
concept has_centroids = requires(const T& table) {
  T(table.centroids);
  table.squared_norms;
};

/// 64-bit numbers go as halves, the low one first: arrays hold none.
inline std::vector<std::uint32_t> to_halves(const std::vector<std::uint64_t>& numbers) {
  std::vector<std::uint32_t> out;
  for (const std::uint64_t number : numbers) {
    out.push_back(static_cast<std::uint32_t>(number));
    out.push_back(static_cast<std::uint32_t>(number >> 32));
  }
  return out;
}
inline std::vector<std::uint64_t> from_halves(const std::string& key, const std::vector<std::uint32_t>& halves) {
  require_state(halves.size() % 2 == 0, "'" + key + "' must be pairs");
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < halves.size(); i += 2)
    out.push_back(halves[i] | static_cast<std::uint64_t>(halves[i + 1]) << 32);
  return out;
}

/// Rows of one length as a matrix.
inline matrix<double> stack(const std::vector<std::vector<double>>& list) {
  auto out = make_matrix<double>(list.size(), list.empty() ? 0 : list.front().size());
  for (std::size_t i = 0; i < list.size(); ++i) std::copy(list[i].begin(), list[i].end(), row(out, i).begin());
  return out;
}
inline std::vector<std::vector<double>> unstack(const matrix<double>& m) {
  std::vector<std::vector<double>> out;
  for (std::size_t i = 0; i < rows(m); ++i) out.emplace_back(row(m, i).begin(), row(m, i).end());
  return out;
}

/// Visits members and stores them.
class member_writer {
 public:
  explicit member_writer(state& out, std::string prefix = {}) : out_(out), prefix_(std::move(prefix)) {}

  template <class T>
  void operator()(std::string_view name, const T& member) const {
    const std::string key = prefix_ + std::string(name);
    if constexpr (is_field<T>) {
      using value = std::remove_cvref_t<decltype(member.elements[0].*member.field)>;
      std::vector<value> list;
      for (const auto& element : member.elements) list.push_back(element.*member.field);
      (*this)(name, list);
    } else if constexpr (is_by_name<T>) {
      out_.set(key, std::string(member.names[static_cast<std::size_t>(member.value)]));
    } else if constexpr (saves_itself<T>) {
      out_.set(key, named_state(member));
    } else if constexpr (has_members<T>) {
      T::members(member, member_writer(out_, key + "/"));
    } else if constexpr (names_models<T>) {
      out_.set(key, member.list());
    } else if constexpr (has_centroids<T>) {
      out_.set(key, member.centroids);
    } else if constexpr (is_optional<T>) {
      // Infinity is no JSON number, so that it goes as an array; none: nothing was given.
      std::vector<double> values;
      if constexpr (is_pair<typename T::value_type>) {
        if (member) values = {member->first, member->second};
      } else {
        if (member) values = {static_cast<double>(*member)};
      }
      out_.set(key, std::move(values));
    } else if constexpr (is_count<T>) {
      out_.set(key, static_cast<std::uint64_t>(member));
    } else if constexpr (std::same_as<T, float>) {
      out_.set(key, static_cast<double>(member));
    } else if constexpr (std::same_as<T, std::vector<float>>) {
      auto one = make_matrix<float>(1, member.size());
      std::copy(member.begin(), member.end(), one.begin());
      out_.set(key, std::move(one));
    } else if constexpr (std::same_as<T, std::vector<std::uint64_t>>) {
      out_.set(key, to_halves(member));
    } else if constexpr (std::same_as<T, std::vector<std::vector<double>>>) {
      out_.set(key, stack(member));
    } else {
      out_.set(key, member);
    }
  }

 private:
  state& out_;
  std::string prefix_;
};

/// Visits members and gives them what a state holds. Throws format_error for what is missing or of another kind;
/// whether values fit together is for the caller to see.
class member_reader {
 public:
  explicit member_reader(const state& s, std::string prefix = {}) : s_(s), prefix_(std::move(prefix)) {}

  template <class T>
  void operator()(std::string_view name, T&& to) const {
    using type = std::remove_cvref_t<T>;
    const std::string key = prefix_ + std::string(name);
    if constexpr (is_field<type>) {
      std::vector<std::remove_cvref_t<decltype(to.elements[0].*to.field)>> list;
      (*this)(name, list);
      require_state(to.size == any_size || list.size() == to.size,
                    "'" + key + "' has " + std::to_string(list.size()) + " rows, but must have " +
                        std::to_string(to.size) + ", one for each model");
      to.elements.resize(list.size());
      for (std::size_t i = 0; i < list.size(); ++i) to.elements[i].*to.field = std::move(list[i]);
    } else if constexpr (is_by_name<type>) {
      const auto& value = s_.get<std::string>(key);
      const auto found = std::find(std::begin(to.names), std::end(to.names), value);
      require_state(found != std::end(to.names), "'" + key + "' is '" + value + "', which is none of its values");
      to.value = static_cast<std::remove_reference_t<decltype(to.value)>>(found - std::begin(to.names));
    } else if constexpr (saves_itself<type>) {
      load_named(to, s_.part(key));
    } else if constexpr (has_members<type>) {
      type::members(to, member_reader(s_, key + "/"));
    } else if constexpr (names_models<type>) {
      to.assign(s_.get<std::vector<std::string>>(key));
    } else if constexpr (has_centroids<type>) {
      to = type(s_.get<matrix<float>>(key));
    } else if constexpr (is_optional<type>) {
      using value = typename type::value_type;
      const auto& values = s_.get<std::vector<double>>(key);
      if constexpr (is_pair<value>) {
        require_state(values.empty() || values.size() == 2, "'" + key + "' must be two numbers or none");
        to = values.empty() ? type{} : type{value{values[0], values[1]}};
      } else {
        require_state(values.size() <= 1, "'" + key + "' must be one number or none");
        if constexpr (std::is_integral_v<value>)
          require_state(values.empty() || (values[0] >= 0 && values[0] < 0x1p53), "'" + key + "' must be a count");
        to = values.empty() ? type{} : type{static_cast<value>(values[0])};
      }
    } else if constexpr (is_count<type>) {
      const auto number = s_.get<std::uint64_t>(key);
      // Enumerations here have fewer than eight values, in order.
      if constexpr (std::is_enum_v<type>) require_state(number < 8, "'" + key + "' must be one of its enumerators");
      to = static_cast<type>(number);
    } else if constexpr (std::same_as<type, float>) {
      to = static_cast<float>(s_.get<double>(key));
    } else if constexpr (std::same_as<type, std::vector<float>>) {
      const auto& one = s_.get<matrix<float>>(key);
      to.assign(one.begin(), one.end());
    } else if constexpr (std::same_as<type, std::vector<std::uint64_t>>) {
      to = from_halves(key, s_.get<std::vector<std::uint32_t>>(key));
    } else if constexpr (std::same_as<type, std::vector<std::vector<double>>>) {
      to = unstack(s_.get<matrix<double>>(key));
    } else {
      to = s_.get<type>(key);
    }
  }

 private:
  const state& s_;
  std::string prefix_;
};

/// What `save` gives: every member under its name.
template <class Policy>
state save_members(const Policy& policy) {
  state out;
  Policy::members(policy, member_writer(out));
  return out;
}

/// What `load` does: gives a copy of the policy the members that were saved, lets `check(copy)` check them and compute
/// the others, and only then takes it. Throws format_error, also for what `check` refuses by a std::logic_error.
template <class Policy, class Check>
void load_members(Policy& policy, const state& s, Check&& check) {
  Policy next(policy);
  try {
    Policy::members(next, member_reader(s));
    check(next);
  } catch (const format_error&) {
    throw;
  } catch (const std::logic_error& error) {
    throw format_error("state", 0, 0, error.what());
  }
  policy = std::move(next);
}

}  // namespace uniroute::detail
