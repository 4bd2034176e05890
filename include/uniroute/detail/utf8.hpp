#pragma once

// UTF-8 ↔ code points.

#include <cstddef>
#include <string>
#include <string_view>

namespace uniroute::detail {

/// What stands for bytes that are no UTF-8.
inline constexpr char32_t replacement_character = 0xFFFD;

struct decoded {
  char32_t code_point;
  std::size_t size;  ///< bytes read, at least 1
  bool valid;
};

/// The code point at `at`, which must be below text.size(). Invalid bytes read as U+FFFD, one for each longest start of
/// a character that could have been one (the Unicode standard's and Python's `errors="replace"`).
inline decoded decode_utf8(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  if (first < 0xC2 || first > 0xF4) return {replacement_character, 1, false};
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t code_point = first & (0x7Fu >> size);
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < size; ++i) {
    if (at + i == text.size() || byte(i) < (i == 1 ? low : 0x80) || byte(i) > (i == 1 ? high : 0xBF))
      return {replacement_character, i, false};
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  return {code_point, size, true};
}

/// Appends a code point below 0x110000.
inline void append_utf8(char32_t c, std::string& out) {
  const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

/// Where the first byte that is no UTF-8 stands; text.size() if there is none.
inline std::size_t first_invalid_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const decoded d = decode_utf8(text, at);
    if (!d.valid) return at;
    at += d.size;
  }
  return text.size();
}

/// The text with U+FFFD for what is no UTF-8.
inline std::string as_utf8(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const decoded d = decode_utf8(text, at);
    append_utf8(d.code_point, out);
    at += d.size;
  }
  return out;
}

/// How many code points the text has; each byte that is no UTF-8 counts as one or as part of one.
inline std::size_t count_code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += decode_utf8(text, at).size;
  return count;
}

/// The text, or its first `length` − 1 code points and an ellipsis where it has more than `length`.
inline std::string shortened(std::string_view text, std::size_t length) {
  if (count_code_points(text) <= length) return std::string(text);
  std::size_t at = 0;
  for (std::size_t i = 0; i + 1 < length; ++i) at += decode_utf8(text, at).size;
  return std::string(text.substr(0, at)) + "…";
}

}  // namespace uniroute::detail
