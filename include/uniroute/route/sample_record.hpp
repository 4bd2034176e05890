#pragma once

// Which prompts a router has seen: what keeps a promise from being checked on the sample it was made from.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The prompts of one sample, by hashes: of each prompt's id with its text (its embedding where there is no text) when
/// a table came in, of the sample as a whole when embeddings came in without ids. Two prompts of equal text and
/// different ids are two draws. 8 bytes a prompt. Const members are thread-safe.
class sample_record {
 public:
  sample_record() = default;

  template <class Loss>
  explicit sample_record(const basic_routing_table<Loss>& table) {
    for (std::size_t i = 0; i < table.size(); ++i) prompts_.push_back(key(table, i));
    std::sort(prompts_.begin(), prompts_.end());
  }
  explicit sample_record(const embedding_matrix& x) : whole_(fingerprint(x)) {}

  /// The same sample with the prompts of a table that came in later.
  template <class Loss>
  sample_record with(const basic_routing_table<Loss>& table) const {
    sample_record out(table);
    const std::size_t fresh = out.prompts_.size();
    out.prompts_.insert(out.prompts_.end(), prompts_.begin(), prompts_.end());
    std::inplace_merge(out.prompts_.begin(), out.prompts_.begin() + static_cast<std::ptrdiff_t>(fresh),
                       out.prompts_.end());
    out.whole_ = whole_;
    return out;
  }

  /// The first prompt of the table that is in this sample too.
  template <class Loss>
  std::optional<std::size_t> first_shared(const basic_routing_table<Loss>& table) const {
    if (whole_ != 0 && table.has_embeddings() && fingerprint(table.embeddings()) == whole_) return 0;
    if (prompts_.empty()) return {};
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (std::binary_search(prompts_.begin(), prompts_.end(), key(table, i))) return i;
    }
    return {};
  }

  /// What a state holds of it; `restore_order` follows what was read.
  static void members(auto& of, auto&& visit) {
    visit("prompts", of.prompts_);
    visit("whole", of.whole_);
  }
  void restore_order() { std::sort(prompts_.begin(), prompts_.end()); }

 private:
  template <class Loss>
  static std::uint64_t key(const basic_routing_table<Loss>& table, std::size_t i) {
    const std::uint64_t id = hash_text(table.ids()[i]);
    if (table.has_prompts()) return derive_seed(id, hash_text(table.prompts()[i]));
    if (!table.has_embeddings()) return id;
    const auto x = row(table.embeddings(), i);
    return derive_seed(id, hash_bytes(x.data(), x.size_bytes()));
  }
  static std::uint64_t fingerprint(const embedding_matrix& x) noexcept {
    return x.size() == 0 ? 0 : hash_bytes(x.data(), x.size() * sizeof(float));
  }

  std::vector<std::uint64_t> prompts_;  ///< sorted
  std::uint64_t whole_ = 0;             ///< 0: not known
};

}  // namespace uniroute
