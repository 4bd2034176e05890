#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/random.hpp>
#include <unordered_map>

namespace uniroute {

/// Scores of answers by prompt id and LLM: an uncertainty, a verifier's or a judge's grade, known after the answer. A
/// judge that reads them, larger being better; what was not recorded is `missing`. By hashes of id and name. Const
/// members are thread-safe.
class recorded_scores {
 public:
  /// Throws std::invalid_argument for a score that is not a number.
  void set(std::string_view id, std::string_view model, double value) {
    detail::require(!is_missing(value), "recorded_scores::set: the score of '", model, "' on '", id,
                    "' is nan, but must be a number (leave it out where there is none)");
    values_[key_of(id, model)] = value;
  }
  double at(std::string_view id, std::string_view model) const { return score(0, key_of(id, model)); }
  std::size_t size() const noexcept { return values_.size(); }

  /// As `judge` asks: the quality is not read.
  double score(double, std::uint64_t key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? missing : found->second;
  }

 private:
  static std::uint64_t key_of(std::string_view id, std::string_view model) noexcept {
    return derive_seed(hash_text(model), hash_text(id));
  }
  std::unordered_map<std::uint64_t, double> values_;
};

static_assert(judge<recorded_scores>);

}  // namespace uniroute
