#pragma once

// The names of a pool, in order of enrolment.

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// The places of names in the alphabet: the order in which rules are shown models, so that ties do not depend on who
/// joined first. It stands here once.
template <class Names>
std::vector<std::size_t> alphabetical_order(const Names& names) {
  std::vector<std::size_t> out(names.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  return out;
}

class roster {
 public:
  std::size_t size() const noexcept { return names_.size(); }
  std::span<const std::string> names() const noexcept { return names_; }
  const std::vector<std::string>& list() const noexcept { return names_; }

  /// Where `name` is. Throws std::invalid_argument if it is not enrolled.
  std::size_t find(std::string_view function, std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    require(found != names_.end(), function, ": model '", name, "' is unknown, but must be enrolled");
    return static_cast<std::size_t>(found - names_.begin());
  }

  /// Throws std::invalid_argument if the name is empty or taken.
  void require_new(std::string_view function, std::string_view name) const {
    require(!name.empty(), function, ": the model's name is empty, but must not be");
    require(std::find(names_.begin(), names_.end(), name) == names_.end(), function, ": model '", name,
            "' is enrolled already, but names must be distinct (retire it first)");
  }

  void add(std::string name) { names_.push_back(std::move(name)); }

  /// Adds a name and its entry, then lets `rebuild()` bring up to date what is computed of all entries. If any of it
  /// throws, names and entries are as they were; rebuild must have changed nothing then either.
  template <class Entry, class Rebuild>
  void join(const std::string& name, std::vector<Entry>& entries, Entry entry, Rebuild&& rebuild) {
    entries.push_back(std::move(entry));
    try {
      names_.push_back(name);
      try {
        rebuild();
      } catch (...) {
        names_.pop_back();
        throw;
      }
    } catch (...) {
      entries.pop_back();
      throw;
    }
  }

  /// Takes out a name and its entry, under the same terms.
  template <class Entry, class Rebuild>
  void leave(std::size_t index, std::vector<Entry>& entries, Rebuild&& rebuild) {
    const auto at = static_cast<std::ptrdiff_t>(index);
    std::string name = std::move(names_[index]);
    Entry entry = std::move(entries[index]);
    names_.erase(names_.begin() + at);
    entries.erase(entries.begin() + at);
    try {
      rebuild();
    } catch (...) {  // there is room: nothing here allocates
      names_.insert(names_.begin() + at, std::move(name));
      entries.insert(entries.begin() + at, std::move(entry));
      throw;
    }
  }

  void remove(std::size_t index) { names_.erase(names_.begin() + static_cast<std::ptrdiff_t>(index)); }
  void assign(std::vector<std::string> names) { names_ = std::move(names); }

 private:
  std::vector<std::string> names_;
};

/// Checks the shape of one LLM's column: one loss per validation prompt, at least one observed.
inline void check_column_shape(std::string_view function, std::string_view model, std::span<const double> losses,
                               std::size_t prompts) {
  require<not_fitted>(prompts != 0, function, ": set_validation must come first");
  require(losses.size() == prompts, function, ": losses of model '", model, "' has ", losses.size(),
          " entries, but the validation sample has ", prompts, " prompts");
  require(!std::all_of(losses.begin(), losses.end(), is_exactly_missing), function, ": all outcomes of model '", model,
          "' are missing, but at least one must be observed");
}

/// Checks one LLM's column: one loss per validation prompt, in range, at least one observed.
inline void check_column(std::string_view function, std::string_view model, std::span<const double> losses,
                         std::size_t prompts) {
  check_column_shape(function, model, losses, prompts);
  check_losses(function, "losses", losses);
}

/// Checks the weights of one LLM's column: one a loss, finite and above 0 where the loss is observed.
inline void check_weights(std::string_view function, std::string_view model, std::span<const double> weights,
                          std::span<const double> losses) {
  require(weights.size() == losses.size(), function, ": weights of model '", model, "' has ", weights.size(),
          " entries, but losses has ", losses.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    require<std::domain_error>(is_missing(losses[i]) || (weights[i] > 0 && std::isfinite(weights[i])), function,
                               ": weights[", i, "] is ", weights[i], ", but must be finite and above 0");
}

}  // namespace uniroute::detail
