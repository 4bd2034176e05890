#pragma once

// The fitted state of a policy as plain named values: what `save` gives and `load` takes.
// Writing it to files is route/save.hpp's business, so that policy headers need no JSON.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace uniroute {

/// Named values, nested by a prefix: `map/centroids`. Numbers and texts go to one JSON file, arrays to `.npy` files.
class state {
 public:
  using value = std::variant<bool, std::uint64_t, double, std::string, std::vector<std::string>, std::vector<double>,
                             std::vector<std::uint32_t>, matrix<float>, matrix<double>>;

  /// Stores a value; an earlier one of that name is replaced. Doubles must be finite (JSON has no others);
  /// arrays may hold anything.
  void set(std::string name, value v) { values_.insert_or_assign(std::move(name), std::move(v)); }

  /// Stores all values of `part` under `prefix/`.
  void set(const std::string& prefix, const state& part) {
    for (const auto& [name, v] : part.values_) values_.insert_or_assign(prefix + "/" + name, v);
  }

  /// The value of that name.
  /// Throws format_error if there is none, or if it is of another type.
  template <class T>
  const T& get(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw format_error("state", 0, 0, "'" + std::string(name) + "' is missing");
    const T* typed = std::get_if<T>(&found->second);
    if (typed == nullptr)
      throw format_error("state", 0, 0, "'" + std::string(name) + "' has another type than expected");
    return *typed;
  }

  /// The values under `prefix/`, with the prefix taken off.
  state part(std::string_view prefix) const {
    state out;
    const std::string start = std::string(prefix) + "/";
    for (auto at = values_.lower_bound(start); at != values_.end() && at->first.starts_with(start); ++at)
      out.values_.emplace(at->first.substr(start.size()), at->second);
    return out;
  }

  const std::map<std::string, value, std::less<>>& values() const noexcept { return values_; }

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
