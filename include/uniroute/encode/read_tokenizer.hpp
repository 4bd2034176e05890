#pragma once

// A tokenizer from the files of a model folder: tokenizer.json, or vocab.txt and tokenizer_config.json.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/data/csv.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/encode/wordpiece_tokenizer.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// The entries of a tokenizer.json in order of their tokens, which must be 0 … n - 1; added ones may follow.
inline std::vector<std::string> tokenizer_entries(const json_file& file, const nlohmann::json& vocabulary,
                                                  const nlohmann::json& added) {
  std::vector<std::string> entries(vocabulary.size());
  for (const auto& item : vocabulary.items()) {
    const auto& id = item.value();
    file.require(id.is_number_unsigned() && id.get<std::uint64_t>() < entries.size() &&
                     entries[id.get<std::size_t>()].empty() && !item.key().empty(),
                 "the token of '", item.key(), "' must be a number below ", entries.size(), " that no other entry has");
    entries[id.get<std::size_t>()] = item.key();
  }
  for (const auto& token : added) {
    const auto content = file.get<std::string>(token, "content");
    const auto id = file.get<std::uint64_t>(token, "id");
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) {
      file.require(!file.get_or(token, flag, false), "added token '", content, "' has ", flag,
                   ", but this tokenizer has no such tokens");
    }
    if (id == entries.size()) entries.push_back(content);
    file.require(id < entries.size() && entries[static_cast<std::size_t>(id)] == content, "added token '", content,
                 "' has number ", id, ", but the vocabulary has another entry there");
  }
  return entries;
}

/// [CLS] and [SEP] from the post-processor's template.
inline void read_template(const json_file& file, const nlohmann::json& processor, wordpiece_options& options) {
  const auto type = file.get<std::string>(processor, "type");
  if (type == "BertProcessing") {
    options.first = file.get<std::string>(file.at(processor, "cls"), std::size_t{0});
    options.last = file.get<std::string>(file.at(processor, "sep"), std::size_t{0});
    return;
  }
  file.require(type == "TemplateProcessing", "post_processor is '", type,
               "', but must be TemplateProcessing or BertProcessing");
  const auto& parts = file.at(processor, "single");
  file.require(parts.is_array() && parts.size() == 3 && parts[0].contains("SpecialToken") &&
                   parts[1].contains("Sequence") && parts[2].contains("SpecialToken"),
               "post_processor must put one token before the text and one after it");
  options.first = file.get<std::string>(parts[0]["SpecialToken"], "id");
  options.last = file.get<std::string>(parts[2]["SpecialToken"], "id");
}

}  // namespace detail

/// A WordPiece tokenizer with BERT's normalizer and pre-tokenizer from a tokenizer.json; what the file says of padding
/// and truncation is left to callers. Throws format_error for another kind of tokenizer and for a file that does not
/// fit together.
inline wordpiece_tokenizer read_tokenizer_json(const std::filesystem::path& path) {
  const detail::json_file file(path);
  return file.guard([&] {
    const auto& root = file.root();
    const auto& model = file.at(root, "model");
    const auto kind = file.get_or(model, "type", std::string("WordPiece"));
    file.require(kind == "WordPiece", "the model is '", kind, "', but must be WordPiece");
    const auto& normalizer = file.at(root, "normalizer");
    file.require(file.get<std::string>(normalizer, "type") == "BertNormalizer", "normalizer must be BertNormalizer");
    const auto& words = file.at(root, "pre_tokenizer");
    file.require(file.get<std::string>(words, "type") == "BertPreTokenizer", "pre_tokenizer must be BertPreTokenizer");

    wordpiece_options options;
    options.clean_text = file.get_or(normalizer, "clean_text", true);
    options.separate_ideographs = file.get_or(normalizer, "handle_chinese_chars", true);
    options.lower_case = file.get_or(normalizer, "lowercase", true);
    options.strip_accents = file.get_or(normalizer, "strip_accents", options.lower_case);
    options.longest_word = static_cast<std::size_t>(file.get_or(model, "max_input_chars_per_word", std::uint64_t{100}));
    options.continuation = file.get_or(model, "continuing_subword_prefix", options.continuation);
    options.unknown = file.get_or(model, "unk_token", options.unknown);
    detail::read_template(file, file.at(root, "post_processor"), options);
    const auto added = root.value("added_tokens", nlohmann::json::array());
    options.special.clear();
    for (const auto& token : added) options.special.push_back(file.get<std::string>(token, "content"));
    const auto& vocabulary = file.at(model, "vocab");
    file.require(vocabulary.is_object(), "vocab must be an object");
    return wordpiece_tokenizer(detail::tokenizer_entries(file, vocabulary, added), std::move(options));
  });
}

/// A tokenizer from a vocab.txt: one entry a line, white space at its end ignored. As in transformers an empty line
/// counts as a token that is never found, and of equal lines the last counts. Throws format_error, with the line, for
/// bytes that are not UTF-8, and if the special entries are missing.
inline wordpiece_tokenizer read_vocabulary(const std::filesystem::path& path, wordpiece_options options = {}) {
  const std::string bytes = detail::read_file(path);
  std::vector<std::string> entries;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
    std::string_view line(bytes.data() + at, end - at);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    const std::size_t bad = detail::first_invalid_utf8(line);
    if (bad != line.size()) throw format_error(path.string(), entries.size() + 1, bad + 1, "is not UTF-8");
    entries.emplace_back(line);
    at = end + 1;
  }
  try {
    return wordpiece_tokenizer(std::move(entries), std::move(options));
  } catch (const std::invalid_argument& error) {
    throw format_error(path.string(), 0, 0, error.what());
  }
}

/// The tokenizer of a model folder: its tokenizer.json, else its vocab.txt with what tokenizer_config.json says.
/// Throws format_error if neither is there or one is wrong.
inline wordpiece_tokenizer read_tokenizer(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "tokenizer.json")) return read_tokenizer_json(folder / "tokenizer.json");
  wordpiece_options options;
  const auto config = folder / "tokenizer_config.json";
  if (std::filesystem::exists(config)) {
    const detail::json_file file(config);
    file.guard([&] {
      options.lower_case = file.get_or(file.root(), "do_lower_case", true);
      options.strip_accents = file.get_or(file.root(), "strip_accents", options.lower_case);
      options.separate_ideographs = file.get_or(file.root(), "tokenize_chinese_chars", true);
      return true;
    });
  }
  if (!std::filesystem::exists(folder / "vocab.txt"))
    throw format_error(folder.string(), 0, 0, "has no tokenizer.json and no vocab.txt, but must have one of them");
  return read_vocabulary(folder / "vocab.txt", std::move(options));
}

}  // namespace uniroute
