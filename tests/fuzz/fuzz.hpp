#pragma once

// What the fuzz targets share: readers by name, the entry points of libFuzzer (with UNIROUTE_LIBFUZZER), and the seeded
// mutations that the tests feed where there is no libFuzzer. `tests/fuzz/run` builds and runs the targets.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/data/csv.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace uniroute_fuzz {

/// One reader of bytes from elsewhere: it may throw format_error, and nothing else.
struct target {
  std::string name;
  void (*read)(const std::string& bytes);
  std::vector<std::string> (*seeds)();  ///< inputs that are accepted
};

/// True if the input was accepted.
inline bool feed(const target& t, const std::string& bytes) {
  try {
    t.read(bytes);
    return true;
  } catch (const uniroute::format_error&) {
    return false;
  }
}

/// Inputs that were found to break a reader once: tests/fuzz/found/NAME.what.
inline std::vector<std::filesystem::path> found(const target& t) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "found"))
    if (entry.path().stem() == t.name) out.push_back(entry.path());
  return out;
}

/// One to four changes: a byte set, bits flipped, a piece cut out, doubled, or the end cut off.
inline std::string mutated(std::string bytes, uniroute::random_engine& engine) {
  const std::size_t changes = 1 + engine.below(4);
  for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = engine.below(bytes.size());
    const std::size_t length = std::min(bytes.size() - at, 1 + engine.below(8));
    switch (engine.below(5)) {
      case 0:
        bytes[at] = static_cast<char>(engine.below(256));
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << engine.below(8)));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, length));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace uniroute_fuzz

#ifdef UNIROUTE_LIBFUZZER

namespace uniroute_fuzz {

/// Those of the program; each program is one file of targets.
const std::vector<target>& targets();

/// The target that UNIROUTE_FUZZ_TARGET names.
inline const target& chosen() {
  static const target& out = [&]() -> const target& {
    const char* name = std::getenv("UNIROUTE_FUZZ_TARGET");
    for (const auto& t : targets()) {
      if (name != nullptr && t.name == name) return t;
    }
    throw std::invalid_argument("UNIROUTE_FUZZ_TARGET must name a target");
  }();
  return out;
}

}  // namespace uniroute_fuzz

/// UNIROUTE_FUZZ_TARGET=list: prints the names. The seeds go to the folder UNIROUTE_FUZZ_SEEDS.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("UNIROUTE_FUZZ_TARGET");
  if (name != nullptr && std::string_view(name) == "list") {
    for (const auto& t : uniroute_fuzz::targets()) std::puts(t.name.c_str());
    std::exit(0);
  }
  const char* folder = std::getenv("UNIROUTE_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::size_t i = 0;
  for (const auto& bytes : uniroute_fuzz::chosen().seeds())
    std::ofstream(std::filesystem::path(folder) / ("seed_" + std::to_string(i++)), std::ios::binary) << bytes;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  uniroute_fuzz::feed(uniroute_fuzz::chosen(), std::string(data, data + size));
  return 0;
}

#else

#include <catch2/catch.hpp>

namespace uniroute_fuzz {

/// What broke the reader once is read or refused by format_error.
inline void check_found(const target& t) {
  for (const auto& path : found(t)) {
    INFO(path);
    CHECK_NOTHROW(feed(t, uniroute::detail::read_bytes(path)));
  }
}

/// Every seed is accepted; `mutations` of each, and what broke the reader once, are read or refused by format_error.
inline void check_targets(const std::vector<target>& targets, std::size_t mutations) {
  uniroute::random_engine engine(7);
  for (const auto& t : targets) {
    INFO(t.name);
    std::size_t refused = 0, seeds = 0;
    for (const auto& bytes : t.seeds()) {
      CHECK(feed(t, bytes));
      ++seeds;
      for (std::size_t i = 0; i < mutations; ++i) {
        const std::string input = mutated(bytes, engine);
        bool accepted = false;
        REQUIRE_NOTHROW(accepted = feed(t, input));
        refused += accepted ? 0 : 1;
      }
    }
    CHECK(refused > seeds * mutations / 20);
    check_found(t);
  }
}

}  // namespace uniroute_fuzz

#endif
