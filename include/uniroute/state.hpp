#pragma once

// The fitted state of a policy as plain named values: what `save` gives and `load` takes.
// Writing it to files is route/save.hpp's business, so that policy headers need no JSON.

#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What a state can hold.
template <class T>
concept state_value = std::same_as<T, bool> || std::same_as<T, std::uint64_t> || std::same_as<T, double> ||
    std::same_as<T, std::string> || std::same_as<T, std::vector<std::string>> || std::same_as<T, std::vector<double>> ||
    std::same_as<T, std::vector<std::uint32_t>> || std::same_as<T, matrix<float>> || std::same_as<T, matrix<double>>;

namespace detail {

template <class T>
bool same_bits(const T& a, const T& b) noexcept {
  if constexpr (std::same_as<T, double>) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  } else if constexpr (requires { a.shape(); }) {
    return a.shape() == b.shape() &&
           (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof *a.data()) == 0);
  } else if constexpr (std::same_as<T, std::vector<double>>) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
  } else {
    return a == b;
  }
}

}  // namespace detail

/// Named values, nested by a prefix: `map/centroids`. Numbers and texts go to one JSON file, arrays to `.npy` files.
class state {
  struct holder {
    virtual ~holder() = default;
    virtual bool same(const holder& other) const noexcept = 0;
  };
  template <class T>
  struct holding final : holder {
    explicit holding(T v) : held(std::move(v)) {}
    bool same(const holder& other) const noexcept override {
      const auto* typed = dynamic_cast<const holding*>(&other);
      return typed != nullptr && detail::same_bits(held, typed->held);
    }
    T held;
  };

 public:
  /// A value of one of the types of `state_value`. It never changes, so copies share it. (A std::variant of them would
  /// be compiled in every unit that includes a policy, at a good part of what xtensor costs.)
  class value {
   public:
    template <state_value T>
    value(T v) : held_(static_cast<const holder*>(new holding<T>(std::move(v)))) {}  // one way to delete all T

    /// Null if the value is of another type.
    template <class T>
    const T* get_if() const noexcept {
      static_assert(state_value<T>,
                    "state: T must be bool, std::uint64_t, double, std::string, a std::vector of std::string, double "
                    "or std::uint32_t, or a matrix of float or double");
      const auto* typed = dynamic_cast<const holding<T>*>(held_.get());
      return typed == nullptr ? nullptr : &typed->held;
    }

    /// The same type and bits: a NaN is itself.
    friend bool operator==(const value& a, const value& b) noexcept {
      return a.held_ == b.held_ || a.held_->same(*b.held_);
    }

   private:
    std::shared_ptr<const holder> held_;
  };

  /// Stores a value; an earlier one of that name is replaced. Doubles must be finite (JSON has no others);
  /// arrays may hold anything.
  void set(std::string name, value v) { values_.insert_or_assign(std::move(name), std::move(v)); }

  /// Stores all values of `part` under `prefix/`.
  void set(const std::string& prefix, const state& part) {
    for (const auto& [name, v] : part.values_) set(prefix + "/" + name, v);
  }

  /// The value of that name.
  /// Throws format_error if there is none, or if it is of another type.
  template <class T>
  const T& get(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw format_error("state", 0, 0, "'" + std::string(name) + "' is missing");
    const T* typed = found->second.get_if<T>();
    if (typed == nullptr)
      throw format_error("state", 0, 0, "'" + std::string(name) + "' has another type than expected");
    return *typed;
  }

  /// The values under `prefix/`, with the prefix taken off.
  state part(std::string_view prefix) const {
    state out;
    const std::string start = std::string(prefix) + "/";
    for (auto at = values_.lower_bound(start); at != values_.end() && at->first.starts_with(start); ++at)
      out.set(at->first.substr(start.size()), at->second);
    return out;
  }

  const std::map<std::string, value, std::less<>>& values() const noexcept { return values_; }

  /// The same values by the same names, bit for bit. Two policies of one type whose states are equal behave alike.
  friend bool operator==(const state& a, const state& b) noexcept { return a.values_ == b.values_; }

 private:
  std::map<std::string, value, std::less<>> values_;
};

namespace detail {

/// Throws format_error unless what `load` read fits together.
inline void require_state(bool whole, std::string_view rule) {
  if (!whole) throw format_error("state", 0, 0, rule);
}

}  // namespace detail

}  // namespace uniroute
