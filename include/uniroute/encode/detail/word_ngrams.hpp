#pragma once

// Words and word n-grams of a text as hashes, without copying a byte.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute::detail {

/// Bytes of words, lower-cased; 0 for bytes between words. ASCII letters and digits belong to words, and every byte
/// from 0x80 on, so that UTF-8 needs no decoding and invalid UTF-8 is merely another word.
inline constexpr std::array<unsigned char, 256> word_bytes = [] {
  std::array<unsigned char, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool other = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
    if (upper || other) table[byte] = static_cast<unsigned char>(upper ? byte + ('a' - 'A') : byte);
  }
  return table;
}();

/// The hash of each word of `text`, in order, into `out` (cleared first). FNV-1a, as hash_text of the lower-cased word.
inline void hash_words(std::string_view text, std::vector<std::uint64_t>& out) {
  constexpr std::uint64_t start = 0xCBF29CE484222325;
  out.clear();
  std::uint64_t hash = start;
  bool inside = false;
  for (const char c : text) {
    const unsigned char byte = word_bytes[static_cast<unsigned char>(c)];
    if (byte != 0) {
      hash = (hash ^ byte) * 0x100000001B3;
      inside = true;
    } else if (inside) {
      out.push_back(mix_bits(hash));
      hash = start;
      inside = false;
    }
  }
  if (inside) out.push_back(mix_bits(hash));
}

/// Calls visit(hash) for each run of 1 … longest words. The hash depends on the order of the words.
template <class Visit>
void for_each_ngram(const std::vector<std::uint64_t>& words, std::size_t longest, Visit&& visit) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint64_t hash = 0;
    for (std::size_t n = 0; n < longest && i + n < words.size(); ++n) {
      hash = mix_bits(hash + words[i + n]);
      visit(hash);
    }
  }
}

}  // namespace uniroute::detail
