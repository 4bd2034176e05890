#pragma once

// Text → WordPiece tokens, as BERT's tokenizer makes them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/encode/detail/bert_text.hpp>
#include <uniroute/encode/detail/piece_table.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/state.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The rules of a `wordpiece_tokenizer`; the defaults are BERT's, uncased.
struct wordpiece_options {
  bool clean_text = true;           ///< take out control characters
  bool separate_ideographs = true;  ///< each CJK ideograph is a word
  bool strip_accents = true;        ///< é reads as e
  bool lower_case = true;           ///< A reads as a
  std::size_t longest_word = 100;   ///< characters; a longer word is `unknown`
  std::string continuation = "##";  ///< how entries for the inside of a word begin
  std::string unknown = "[UNK]";    ///< must be in the vocabulary, as must `first` and `last`
  std::string first = "[CLS]";      ///< stands before every text
  std::string last = "[SEP]";       ///< and this after it
  /// Texts that are one token wherever they stand in a prompt, as written; those not in the vocabulary are ignored.
  std::vector<std::string> special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
};

/// BERT's tokenizer (Devlin et al. 2019): cleaning, spaces around ideographs, accents, lower case; words between white
/// space, signs alone; then for each word the longest entries of the vocabulary from left to right (Wu et al. 2016), or
/// `unknown` for the whole word. Gives the tokens of PyPI `tokenizers` 0.23.
/// Bytes that are no UTF-8 read as U+FFFD (as Python's decode(errors="replace")), which cleaning takes out.
/// Cost: linear in the bytes read; reading stops once `most` tokens are there. Const members are thread-safe.
class wordpiece_tokenizer {
 public:
  wordpiece_tokenizer() = default;  ///< knows nothing until `load`

  /// Entry i of the vocabulary is token i; an empty entry has a number and is never found, and of equal entries the
  /// last counts, as in transformers. Throws std::invalid_argument, naming the entry, for one that is not UTF-8, if
  /// `unknown`, `first` or `last` is no entry, or if longest_word is not 1 to 10,000 (a word costs its length times
  /// that of the longest entry).
  explicit wordpiece_tokenizer(std::vector<std::string> vocabulary, wordpiece_options options = {})
      : options_(std::move(options)), vocabulary_(std::move(vocabulary)) {
    constexpr std::string_view me = "wordpiece_tokenizer";
    detail::require(options_.longest_word >= 1 && options_.longest_word <= most_characters, me, ": longest_word is ",
                    options_.longest_word, ", but must be 1 to ", most_characters);
    detail::require(vocabulary_.size() < std::size_t{1} << 31, me, ": the vocabulary has ", vocabulary_.size(),
                    " entries, but must have fewer than 2^31");
    pieces_ = detail::piece_table(vocabulary_.size());
    for (std::size_t i = vocabulary_.size(); i-- > 0;) {  // of equal ones the last is found, and the others are not
      const std::string& entry = vocabulary_[i];
      if (entry.empty()) continue;
      const std::size_t bad = detail::first_invalid_utf8(entry);
      detail::require(bad == entry.size(), me, ": entry ", i, " of the vocabulary has byte ", bad,
                      " that is not UTF-8, but must be UTF-8");
      const bool inside = is_continuation(entry);
      const std::size_t skip = inside ? options_.continuation.size() : 0;
      pieces_.insert(std::string_view(entry).substr(skip), inside, static_cast<std::uint32_t>(i));
    }
    unknown_ = find(options_.unknown);
    first_ = find(options_.first);
    last_ = find(options_.last);
    for (const auto& text : options_.special) {
      const std::uint32_t id = text.empty() ? detail::no_piece : id_of(text);
      if (id != detail::no_piece) special_.emplace_back(text, id);
    }
    // Where two begin at one place, the longer counts.
    std::stable_sort(special_.begin(), special_.end(),
                     [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
    for (const auto& [text, id] : special_) starts_.push_back(text[0]);
  }

  std::size_t size() const noexcept { return vocabulary_.size(); }  ///< entries
  const std::vector<std::string>& vocabulary() const noexcept { return vocabulary_; }
  const wordpiece_options& options() const noexcept { return options_; }

  /// The token of an entry. Throws std::invalid_argument if it is none.
  std::uint32_t find(std::string_view entry) const {
    const std::uint32_t id = id_of(entry);
    detail::require(id != detail::no_piece, "wordpiece_tokenizer: the vocabulary has no '", entry,
                    "', but must have it");
    return id;
  }

  /// `first`, the tokens of the text, `last`: at most `most` (at least 2) of them, those of the text cut at the end.
  /// Throws not_fitted, std::invalid_argument for most below 2.
  std::vector<std::uint32_t> encode(std::string_view text, std::size_t most = 512) const {
    std::vector<std::uint32_t> out;
    append(text, most, out);
    return out;
  }

  /// The same, added to the end of `out`. Allocates nothing of its own once a word as long was seen on this thread.
  void append(std::string_view text, std::size_t most, std::vector<std::uint32_t>& out) const {
    detail::require<not_fitted>(size() != 0, "wordpiece_tokenizer: there is no vocabulary, but must be");
    detail::require(most >= 2, "wordpiece_tokenizer: most is ", most, ", but must be at least 2");
    out.push_back(first_);
    append_inner(text, most - 2, out);
    out.push_back(last_);
  }

  /// Without `first` and `last`.
  void append_inner(std::string_view text, std::size_t most, std::vector<std::uint32_t>& out) const {
    thread_local word_buffer word;
    word.clear();
    const std::size_t end = most > out.max_size() - out.size() ? out.max_size() : out.size() + most;
    std::size_t at = 0;
    while (at < text.size() && out.size() < end) {
      if (const auto* special = special_at(text, at); special != nullptr) {
        flush(word, out);
        out.push_back(special->second);
        at += special->first.size();
        continue;
      }
      const detail::decoded d = detail::decode_utf8(text, at);
      at += d.size;
      detail::normalise_for_bert(d.code_point, rules(), [&](char32_t c) {
        const auto kind = detail::bert_class_of(c);
        if (kind == detail::bert_class::letter) return word.push(c, options_.longest_word);
        flush(word, out);
        if (kind == detail::bert_class::space) return;
        word.push(c, options_.longest_word);
        flush(word, out);
      });
    }
    if (out.size() < end) flush(word, out);
    out.resize(std::min(out.size(), end));
  }

  state save() const {
    detail::require<not_fitted>(size() != 0, "wordpiece_tokenizer: there is no vocabulary, but must be");
    return detail::save_members(*this);
  }

  /// Throws format_error if something is missing or does not fit together.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      next = wordpiece_tokenizer(std::move(next.vocabulary_), std::move(next.options_));
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("vocabulary", of.vocabulary_);
    visit("clean_text", of.options_.clean_text);
    visit("separate_ideographs", of.options_.separate_ideographs);
    visit("strip_accents", of.options_.strip_accents);
    visit("lower_case", of.options_.lower_case);
    visit("longest_word", of.options_.longest_word);
    visit("continuation", of.options_.continuation);
    visit("unknown", of.options_.unknown);
    visit("first", of.options_.first);
    visit("last", of.options_.last);
    visit("special", of.options_.special);
  }

 private:
  static constexpr std::size_t most_characters = 10'000;

  /// A word as it is read.
  struct word_buffer {
    std::string bytes;
    std::size_t characters = 0;
    std::vector<std::uint64_t> hashes;

    void clear() {
      bytes.clear();
      characters = 0;
    }
    void push(char32_t c, std::size_t longest) {
      // The rest of a word that is too long need not be kept.
      if (++characters <= longest) detail::append_utf8(c, bytes);
    }
  };

  detail::bert_text_rules rules() const noexcept {
    return {options_.clean_text, options_.separate_ideographs, options_.strip_accents, options_.lower_case};
  }

  bool is_continuation(std::string_view entry) const noexcept {
    return !options_.continuation.empty() && entry.size() > options_.continuation.size() &&
           entry.starts_with(options_.continuation);
  }

  std::uint32_t id_of(std::string_view entry) const {
    const bool inside = is_continuation(entry);
    return pieces_.find(entry.substr(inside ? options_.continuation.size() : 0), inside);
  }

  const std::pair<std::string, std::uint32_t>* special_at(std::string_view text, std::size_t at) const noexcept {
    if (starts_.find(text[at]) == std::string::npos) return nullptr;
    for (const auto& special : special_) {
      if (text.substr(at).starts_with(special.first)) return &special;
    }
    return nullptr;
  }

  /// The pieces of the word, which is empty afterwards.
  void flush(word_buffer& word, std::vector<std::uint32_t>& out) const {
    if (word.characters == 0) return;
    const std::size_t before = out.size();
    bool known = word.characters <= options_.longest_word;
    for (std::size_t start = 0; known && start < word.bytes.size();) {
      const auto [id, size] = pieces_.longest(std::string_view(word.bytes).substr(start), start != 0, word.hashes);
      known = id != detail::no_piece;
      out.push_back(id);
      start += size;
    }
    if (!known) {
      out.resize(before);
      out.push_back(unknown_);
    }
    word.clear();
  }

  wordpiece_options options_;
  std::vector<std::string> vocabulary_;
  detail::piece_table pieces_;
  std::vector<std::pair<std::string, std::uint32_t>> special_;  ///< longest first
  std::string starts_;                                          ///< their first bytes
  std::uint32_t unknown_ = 0, first_ = 0, last_ = 0;
};

}  // namespace uniroute
