#pragma once

// A JSON file of somebody else's, read with errors that name the file and what is wrong in it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/data/csv.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// Where the text is nested deeper than `most` (brackets in JSON's texts do not count), or its size if it is not.
inline std::size_t nested_too_deeply(std::string_view text, std::size_t most) noexcept {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '[' || text[i] == '{') && ++depth > most)
      return i;
    else if (!quoted && (text[i] == ']' || text[i] == '}') && depth != 0)
      --depth;
  }
  return text.size();
}

/// The one parser of JSON, so that units compile nlohmann's once. Throws nlohmann::json::parse_error, for numbers
/// beyond the largest double too (with byte 0), for a byte of 0 (and so for whatever follows it), and for what is
/// nested deeper than 64: a copy of it would overrun the stack.
inline nlohmann::json parse_json(std::string_view text, const nlohmann::json::parser_callback_t& watch = nullptr) {
  using error = nlohmann::json::parse_error;
  const std::size_t deep = nested_too_deeply(text, 64);
  if (deep != text.size()) throw error::create(101, deep + 1, "nested deeper than 64", nullptr);
  // JSON has no such byte, but the library takes one for the end, and what follows would not be looked at.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos)
    throw error::create(101, nul + 1, "a byte is 0, but JSON has no such byte", nullptr);
  try {
    return nlohmann::json::parse(text.data(), text.data() + text.size(), watch);
  } catch (const nlohmann::json::out_of_range& beyond) {
    throw error::create(101, std::size_t{0}, beyond.what(), nullptr);
  }
}

class json_file {
 public:
  /// Throws format_error, with the byte, for what is no JSON object.
  explicit json_file(const std::filesystem::path& path) : json_file(path.string(), read_file(path)) {}

  /// From text that stands in the file `name`.
  json_file(std::string name, std::string_view text) : name_(std::move(name)) {
    try {
      root_ = parse_json(text);
    } catch (const nlohmann::json::exception& error) {
      throw format_error(name_, 0, 0, std::string("is not valid JSON: ") + error.what());
    }
    require(root_.is_object(), "must be a JSON object");
  }

  const nlohmann::json& root() const noexcept { return root_; }

  /// Throws format_error(text(parts...)) unless `condition`.
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (!condition) throw format_error(name_, 0, 0, text(parts...));
  }

  /// The member of that name (or number). Throws format_error if there is none.
  template <class Key>
  const nlohmann::json& at(const nlohmann::json& object, const Key& key) const {
    try {
      return object.at(key);
    } catch (const nlohmann::json::exception&) {
      throw format_error(name_, 0, 0, detail::text("'", key, "' is missing"));
    }
  }

  template <class T, class Key>
  T get(const nlohmann::json& object, const Key& key) const {
    return convert<T>(at(object, key), key);
  }

  /// `otherwise` where it is missing or null.
  template <class T>
  T get_or(const nlohmann::json& object, const char* key, T otherwise) const {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found == object.end() || found->is_null() ? otherwise : convert<T>(*found, key);
  }

  /// The keys of an object that are none of `known`.
  static std::vector<std::string> unknown_keys(const nlohmann::json& object,
                                               std::initializer_list<std::string_view> known) {
    std::vector<std::string> out;
    for (const auto& item : object.items()) {
      if (std::find(known.begin(), known.end(), item.key()) == known.end()) out.push_back(item.key());
    }
    return out;
  }

  /// Calls read(), and gives what it throws of ours or of the JSON library's the file's name.
  template <class Read>
  auto guard(Read&& read) const {
    try {
      return read();
    } catch (const nlohmann::json::exception& error) {
      throw format_error(name_, 0, 0, error.what());
    } catch (const std::invalid_argument& error) {
      throw format_error(name_, 0, 0, error.what());
    }
  }

 private:
  template <class T, class Key>
  T convert(const nlohmann::json& value, const Key& key) const {
    bool right = false;
    if constexpr (std::is_same_v<T, bool>)
      right = value.is_boolean();
    else if constexpr (std::is_same_v<T, std::uint64_t>)
      right = value.is_number_unsigned();
    else if constexpr (std::is_same_v<T, double>)
      right = value.is_number();
    else
      right = value.is_string();
    require(right, "'", key, "' must be ",
            std::is_same_v<T, bool>            ? "true or false"
            : std::is_same_v<T, std::uint64_t> ? "a whole number"
            : std::is_same_v<T, double>        ? "a number"
                                               : "a text");
    return value.get<T>();
  }

  std::string name_;
  nlohmann::json root_;
};

}  // namespace uniroute::detail
