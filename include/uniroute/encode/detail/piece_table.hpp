#pragma once

// The entries of a WordPiece vocabulary, found by the longest start of a text.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

inline constexpr std::uint32_t no_piece = 0xFFFFFFFF;

/// An open hash table of byte strings, each for the start of a word or for its inside. Holds its own copy of the bytes.
/// A start of every length is hashed in one pass, so that the longest entry costs a look-up a byte.
class piece_table {
 public:
  piece_table() = default;

  /// Room for `entries` pieces.
  explicit piece_table(std::size_t entries) : slots_(std::bit_ceil(2 * entries + 2)) {}

  /// False if the piece is there already.
  bool insert(std::string_view piece, bool inside, std::uint32_t id) {
    const std::uint64_t hash = hash_of(piece, inside);
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].id != no_piece; at = (at + 1) & (slots_.size() - 1)) {
      if (matches(slots_[at], hash, piece)) return false;
    }
    slots_[at] = {hash, bytes_.size(), static_cast<std::uint32_t>(piece.size()), id};
    bytes_.append(piece);
    longest_ = std::max(longest_, piece.size());
    return true;
  }

  /// no_piece if it is not there.
  std::uint32_t find(std::string_view piece, bool inside) const noexcept {
    return slots_.empty() ? no_piece : find(piece, hash_of(piece, inside));
  }

  /// The longest piece that `text` starts with, and its size in bytes; no_piece if there is none. `hashes` is scratch.
  std::pair<std::uint32_t, std::size_t> longest(std::string_view text, bool inside,
                                                std::vector<std::uint64_t>& hashes) const {
    const std::size_t most = std::min(text.size(), longest_);
    hashes.resize(std::max(hashes.size(), most));
    std::uint64_t state = start(inside);
    for (std::size_t i = 0; i < most; ++i) hashes[i] = state = step(state, text[i]);
    for (std::size_t size = most; size > 0; --size) {
      const std::uint32_t id = find(text.substr(0, size), mix_bits(hashes[size - 1]));
      if (id != no_piece) return {id, size};
    }
    return {no_piece, 0};
  }

 private:
  struct slot {
    std::uint64_t hash = 0;  ///< also tells starts of words from insides
    std::size_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t id = no_piece;
  };

  static constexpr std::uint64_t start(bool inside) noexcept {
    return inside ? 0x9AE16A3B2F90404F : 0xCBF29CE484222325;
  }
  static constexpr std::uint64_t step(std::uint64_t state, char byte) noexcept {
    return (state ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  }
  static std::uint64_t hash_of(std::string_view piece, bool inside) noexcept {
    std::uint64_t state = start(inside);
    for (const char byte : piece) state = step(state, byte);
    return mix_bits(state);
  }

  bool matches(const slot& s, std::uint64_t hash, std::string_view piece) const noexcept {
    return s.hash == hash && std::string_view(bytes_.data() + s.offset, s.size) == piece;
  }

  std::uint32_t find(std::string_view piece, std::uint64_t hash) const noexcept {
    for (std::size_t at = hash & (slots_.size() - 1); slots_[at].id != no_piece; at = (at + 1) & (slots_.size() - 1)) {
      if (matches(slots_[at], hash, piece)) return slots_[at].id;
    }
    return no_piece;
  }

  std::vector<slot> slots_;
  std::string bytes_;
  std::size_t longest_ = 0;
};

}  // namespace uniroute::detail
