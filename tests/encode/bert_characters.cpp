// What is left of characters without their accents: values of Python's unicodedata (NFD without category Mn).

#include <catch2/catch.hpp>
#include <uniroute/encode/detail/bert_text.hpp>
#include <vector>

namespace ur = uniroute;

TEST_CASE("characters without their accents are those of Unicode's decompositions") {
  const std::vector<std::pair<char32_t, std::vector<char32_t>>> known{{0xAC00, {0x1100, 0x1161}},
                                                                      {0xAC01, {0x1100, 0x1161, 0x11A8}},
                                                                      {0xD4DB, {0x1111, 0x1171, 0x11B6}},
                                                                      {0xD7A3, {0x1112, 0x1175, 0x11C2}},
                                                                      {0xD7A4, {0xD7A4}},
                                                                      {0xF900, {0x8C48}},
                                                                      {0xFA0B, {0x5ED3}},
                                                                      {0xFAD9, {0x9F8E}},
                                                                      {0x2F800, {0x4E3D}},
                                                                      {0x2FA1D, {0x2A600}},
                                                                      {0x2FA1E, {0x2FA1E}},
                                                                      {0x9CB, {0x9C7, 0x9BE}},
                                                                      {0x9CC, {0x9C7, 0x9D7}},
                                                                      {0x9CD, {}},
                                                                      {0x1E9B, {0x17F}},
                                                                      {0xC5, {0x41}},
                                                                      {0x1E68, {0x53}},
                                                                      {0x344, {}},
                                                                      {0x958, {0x915}},
                                                                      {0xFB1D, {0x5D9}},
                                                                      {0x3B0, {0x3C5}},
                                                                      {0x1F82, {0x3B1}},
                                                                      {0x41, {0x41}},
                                                                      {0x4E00, {0x4E00}}};
  for (const auto& [from, to] : known) {
    std::vector<char32_t> got;
    ur::detail::bert_unicode::put_without_accents(from, [&](char32_t c) { got.push_back(c); });
    CAPTURE(static_cast<unsigned>(from));
    CHECK(got == to);
  }
}

TEST_CASE("every kind of character is told from its neighbours") {
  using ur::detail::bert_class;
  const auto of = [](char32_t c) { return ur::detail::bert_class_of(c); };
  for (const char32_t c : {U' ', U'\t', U'\n', U'\r', U'\x0B', U'\x0C', U'\u00A0', U'\u2003', U'\u3000'})
    CHECK(of(c) == bert_class::space);
  for (const char32_t c : {U'!', U'/', U':', U'@', U'[', U'`', U'{', U'~', U'\u00A7', U'\u2026', U'\u3001'})
    CHECK(of(c) == bert_class::sign);
  // Control characters are letters to this function, which is asked of none of them; so is DEL.
  for (const char32_t c : {U'0', U'9', U'A', U'Z', U'a', U'z', U'\x7F', U'\x08', U'\x0E', U'\u00E9', U'\u4E00'})
    CHECK(of(c) == bert_class::letter);
}
