#pragma once

// The text rules of BERT tokenizers: cleaning, spaces around ideographs, accents, case, and where words end.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/encode/detail/bert_unicode.hpp>

namespace uniroute::detail {

/// Which of BertNormalizer's steps are taken.
struct bert_text_rules {
  bool clean_text = true;           ///< control characters go, white space becomes U+0020
  bool separate_ideographs = true;  ///< spaces around CJK ideographs
  bool strip_accents = true;        ///< NFD, then without non-spacing marks
  bool lower_case = true;           ///< one character at a time, as the reference does (no final sigma)
};

namespace bert_unicode {

template <std::size_t n>
constexpr bool contains(const range (&ranges)[n], char32_t c) noexcept {
  const auto after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                      [](char32_t value, const range& r) { return value < r.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

/// c itself where the table has no entry.
template <std::size_t n>
constexpr char32_t mapped(const mapping (&mappings)[n], char32_t c) noexcept {
  const auto after = std::upper_bound(std::begin(mappings), std::end(mappings), c,
                                      [](char32_t value, const mapping& m) { return value < m.first; });
  if (after == std::begin(mappings)) return c;
  const mapping& m = *std::prev(after);
  if (c > m.last || (c - m.first) % m.step != 0) return c;
  const auto steps = static_cast<int>((c - m.first) / m.step);
  return static_cast<char32_t>(static_cast<int>(m.to) + steps * m.to_step);
}

/// Calls put(code point) for what is left of c without its accents.
template <class Put>
void put_without_accents(char32_t c, Put&& put) {
  if (c >= 0xAC00 && c < 0xAC00 + 11172) {  // Hangul syllables (Unicode standard, section 3.12)
    const char32_t index = c - 0xAC00;
    put(0x1100 + index / 588);
    put(0x1161 + index % 588 / 28);
    if (index % 28 != 0) put(0x11A7 + index % 28);
  } else if (c >= 0xF900 && c - 0xF900 < unified_from_f900.size()) {
    put(unified_from_f900[c - 0xF900]);
  } else if (c >= 0x2F800 && c - 0x2F800 < unified_from_2f800.size()) {
    put(unified_from_2f800[c - 0x2F800]);
  } else if (const auto found = std::lower_bound(std::begin(expansions), std::end(expansions), c,
                                                 [](const expansion& e, char32_t value) { return e.from < value; });
             found != std::end(expansions) && found->from == c) {
    for (const char32_t part : found->to) {
      if (part != 0) put(part);
    }
  } else if (!contains(marks, c)) {
    put(mapped(base_letters, c));
  }
}

template <class Put>
void put_lower_case(char32_t c, Put&& put) {
  if (c == 0x130) {
    put(0x69);
    put(0x307);
  } else {
    put(mapped(lower_case, c));
  }
}

}  // namespace bert_unicode

/// What a code point means to a tokenizer that reads one after the other.
enum class bert_class { letter, space, sign };

inline bert_class bert_class_of(char32_t c) noexcept {
  if (c < 0x80) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) return bert_class::letter;
    if (c == ' ' || (c >= 0x9 && c <= 0xD)) return bert_class::space;
    return c > 0x20 && c < 0x7F ? bert_class::sign : bert_class::letter;
  }
  if (bert_unicode::contains(bert_unicode::spaces, c)) return bert_class::space;
  return bert_unicode::contains(bert_unicode::punctuation, c) ? bert_class::sign : bert_class::letter;
}

/// Calls put(code point) for each character of the normalised form of c, in order.
template <class Put>
void normalise_for_bert(char32_t c, const bert_text_rules& rules, Put&& put) {
  namespace u = bert_unicode;
  if (c < 0x80) {
    if (rules.clean_text) {
      if (c == '\t' || c == '\n' || c == '\r') return put(U' ');
      if (c < 0x20 || c == 0x7F) return;
    }
    return put(rules.lower_case && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  if (rules.clean_text) {
    if (u::contains(u::removed, c)) return;
    if (u::contains(u::spaces, c)) return put(U' ');
  }
  const bool ideograph = rules.separate_ideographs && u::contains(u::ideographs, c);
  if (ideograph) put(U' ');
  const auto in_case = [&](char32_t part) {
    if (rules.lower_case)
      u::put_lower_case(part, put);
    else
      put(part);
  };
  if (rules.strip_accents)
    u::put_without_accents(c, in_case);
  else
    in_case(c);
  if (ideograph) put(U' ');
}

}  // namespace uniroute::detail
