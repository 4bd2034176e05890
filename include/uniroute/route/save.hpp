#pragma once

// Fitted routers, or any policy, as a directory: one JSON file and a .npy file per array.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <uniroute/concepts/stateful.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/data/npy.hpp>
#include <uniroute/data/staged_directory.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/state.hpp>
#include <uniroute/version.hpp>
#include <utility>
#include <vector>

namespace uniroute {

namespace detail {

/// Of the values in a saved state: 2 has names of policies, all their options, and ids of validation prompts.
inline constexpr std::uint64_t state_format = 2;

}  // namespace detail

/// Writes named values: numbers and texts to state.json, arrays to .npy files that NumPy reads. All or nothing.
/// Throws std::invalid_argument if `dir` is something else than a saved state, std::domain_error for an infinite or
/// NaN number or a text that is not UTF-8, format_error if a file cannot be written.
inline void write_state(const state& s, const std::filesystem::path& dir) {
  staged_directory staged("write_state", dir, "state.json");
  nlohmann::json json;
  json["uniroute"] = UNIROUTE_VERSION;
  json["format"] = detail::state_format;
  auto& values = json["values"] = nlohmann::json::object();
  std::size_t arrays = 0;
  for (const auto& item : s.values()) {
    const std::string& name = item.first;
    auto& entry = values[name];
    const auto plain = [&]<class T>(const char* type, const T* v) {
      if (v == nullptr) return;
      entry["type"] = type;
      entry["value"] = *v;
    };
    const auto array = [&]<class T>(const char* type, const T* v) {
      if (v == nullptr) return;
      const std::string file = "array_" + std::to_string(arrays++) + ".npy";
      write_npy(staged.path() / file, *v);
      entry["type"] = type;
      entry["file"] = file;
    };
    const state::value& v = item.second;
    if (const double* number = v.get_if<double>())
      detail::require<std::domain_error>(std::isfinite(*number), "write_state: '", name, "' is ", *number,
                                         ", but must be finite");
    plain("bool", v.get_if<bool>());
    plain("uint64", v.get_if<std::uint64_t>());
    plain("double", v.get_if<double>());
    plain("text", v.get_if<std::string>());
    plain("texts", v.get_if<std::vector<std::string>>());
    array("doubles", v.get_if<std::vector<double>>());
    array("uint32s", v.get_if<std::vector<std::uint32_t>>());
    array("float matrix", v.get_if<matrix<float>>());
    array("double matrix", v.get_if<matrix<double>>());
  }
  try {
    staged.write("state.json", json.dump(1) + "\n");
  } catch (const nlohmann::json::type_error&) {
    throw std::domain_error("write_state: a name or text is not UTF-8, but must be");
  }
  staged.commit();
}

/// Reads what `write_state` wrote. Throws format_error for anything else.
inline state read_state(const std::filesystem::path& dir) {
  const auto path = dir / "state.json";
  const std::string bytes = detail::read_file(path);
  state out;
  try {
    const auto json = detail::parse_json(bytes);
    // The JSON library would convert numbers of any kind, out of range too.
    const auto number = [&](const nlohmann::json& value, bool right, const std::string& name) -> const nlohmann::json& {
      if (!right) throw format_error(path.string(), 0, 0, "'" + name + "' has a value of another type than it says");
      return value;
    };
    const auto& version = json.at("uniroute");
    if (number(version, version.is_number_unsigned(), "uniroute").get<std::uint64_t>() > UNIROUTE_VERSION)
      throw format_error(path.string(), 0, 0, "was written by a later version of uniroute");
    // The first format had neither names of policies nor their options.
    const std::uint64_t format = json.contains("format") && json["format"].is_number_unsigned()
                                     ? json["format"].get<std::uint64_t>()
                                     : std::uint64_t{1};
    if (format != detail::state_format)
      throw format_error(path.string(), 0, 0,
                         detail::text("is of format ", format, ", but must be of format ", detail::state_format,
                                      ": a state of another version is not read; fit and write it again"));
    for (const auto& item : json.at("values").items()) {
      const std::string& name = item.key();
      const auto& entry = item.value();
      const auto type = entry.at("type").get<std::string>();
      const auto file = [&] {
        const auto leaf = std::filesystem::path(entry.at("file").get<std::string>());
        if (leaf.has_parent_path()) throw format_error(path.string(), 0, 0, "names a file outside its directory");
        return dir / leaf;
      };
      if (type == "bool")
        out.set(name, entry.at("value").get<bool>());
      else if (type == "uint64")
        out.set(name, number(entry.at("value"), entry.at("value").is_number_unsigned(), name).get<std::uint64_t>());
      else if (type == "double")
        out.set(name, entry.at("value").get<double>());
      else if (type == "text")
        out.set(name, entry.at("value").get<std::string>());
      else if (type == "texts")
        out.set(name, entry.at("value").get<std::vector<std::string>>());
      else if (type == "doubles")
        out.set(name, read_npy_vector<double>(file()));
      else if (type == "uint32s")
        out.set(name, read_npy_vector<std::uint32_t>(file()));
      else if (type == "float matrix")
        out.set(name, read_npy_matrix<float>(file()));
      else if (type == "double matrix")
        out.set(name, read_npy_matrix<double>(file()));
      else
        throw format_error(path.string(), 0, 0, "'" + name + "' has the unknown type '" + type + "'");
    }
  } catch (const nlohmann::json::parse_error& error) {
    throw format_error(path.string(), 0, error.byte, "is not valid JSON");
  } catch (const nlohmann::json::exception& error) {
    throw format_error(path.string(), 0, 0, std::string("is no saved state: ") + error.what());
  }
  return out;
}

/// Writes a fitted router (or any policy) to a directory. Throws as `write_state`, and not_fitted.
template <stateful Router>
void write_router(const Router& router, const std::filesystem::path& dir) {
  write_state(detail::named_state(router), dir);
}

/// Gives a router of the same type, however it was made, what `write_router` wrote; it then routes identically.
/// Callbacks and numbers of threads stay as they were made. Throws format_error for anything else, a router of other
/// policies (with both names) or a state of another format, and then the router is as it was. docs/saved.md has the
/// directory's format.
template <stateful Router>
void read_router(Router& router, const std::filesystem::path& dir) {
  detail::load_named(router, read_state(dir));
}

}  // namespace uniroute
