// The readers of files that come from elsewhere, fed with nonsense: they may throw format_error, and nothing else.
//
// In the tests: a corpus written by this file, each entry as it is and with seeded mutations. With clang's libFuzzer,
// from the root of the repository:
//   clang++-14 -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -DUNIROUTE_LIBFUZZER -Iinclude -Itests
//     tests/fuzz/readers.cpp -lopenblas -o readers && mkdir -p corpus && ./readers corpus
// The first byte of an input chooses the reader.

#include <unistd.h>

#include <cstdint>
#include <data/temporary_directory.hpp>
#include <encode/tiny_model.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <uniroute/data/npy.hpp>
#include <uniroute/encode/read_tokenizer.hpp>
#include <uniroute/encode/safetensors.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

/// Reads every tensor that can be read.
void read_safetensors(const std::string& bytes) {
  const ur::safetensors_file file("input", std::vector<unsigned char>(bytes.begin(), bytes.end()));
  for (const auto& [name, tensor] : file.tensors()) {
    try {
      if (tensor.shape.size() == 1) file.read_vector(name, tensor.shape[0]);
      if (tensor.shape.size() == 2) file.read_matrix(name, tensor.shape[0], tensor.shape[1]);
    } catch (const ur::format_error&) {
    }
  }
}

/// One file a process, as libFuzzer may run several.
std::filesystem::path scratch_file() {
  return std::filesystem::temp_directory_path() / ("uniroute-fuzz-" + std::to_string(::getpid()));
}

void read_npy(const std::string& bytes) {
  std::ofstream(scratch_file(), std::ios::binary) << bytes;
  ur::read_npy_matrix<float>(scratch_file());
}

/// A vocabulary, a zero byte, and a text that is read with it.
void read_vocabulary(const std::string& bytes) {
  const std::size_t zero = std::min(bytes.find('\0'), bytes.size());
  std::ofstream(scratch_file(), std::ios::binary) << bytes.substr(0, zero);
  const auto tokenizer = ur::read_vocabulary(scratch_file());
  const std::string text = bytes.substr(std::min(zero + 1, bytes.size()));
  for (const std::size_t most : {2, 3, 64}) {
    const auto tokens = tokenizer.encode(text, most);
    bool right = tokens.size() >= 2 && tokens.size() <= most;
    for (const std::uint32_t token : tokens) right = right && token < tokenizer.size();
    if (!right) throw std::logic_error("tokens outside the vocabulary, or too many");
  }
}

void read_tokenizer_json(const std::string& bytes) {
  std::ofstream(scratch_file(), std::ios::binary) << bytes;
  ur::read_tokenizer_json(scratch_file()).encode("Some text, \xC3\xA9 and \xFF.");
}

/// The target: true if the input was accepted.
bool feed(unsigned char reader, const std::string& bytes) {
  try {
    if (reader % 4 == 0) read_safetensors(bytes);
    if (reader % 4 == 1) read_npy(bytes);
    if (reader % 4 == 2) read_vocabulary(bytes);
    if (reader % 4 == 3) read_tokenizer_json(bytes);
    return true;
  } catch (const ur::format_error&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size != 0) feed(data[0], std::string(data + 1, data + size));
  return 0;
}

#ifndef UNIROUTE_LIBFUZZER

#include <catch2/catch.hpp>
#include <uniroute/random.hpp>

namespace {

std::string npy_bytes() {
  const uniroute_tests::temporary_directory folder;
  ur::write_npy(folder.path() / "a.npy", ur::make_matrix<float>(3, 4, 0.5F));
  return ur::detail::read_bytes(folder.path() / "a.npy");
}

/// Inputs that are accepted.
std::vector<std::pair<unsigned char, std::string>> corpus() {
  std::string lines, entries;
  for (const auto& entry : uniroute_tests::tiny_vocabulary) {
    entries +=
        (entries.empty() ? "\"" : ",\"") + entry + "\":" + std::to_string(std::count(lines.begin(), lines.end(), '\n'));
    lines += entry + "\n";
  }
  const std::string json = R"({"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},
    "post_processor":{"type":"BertProcessing","cls":["[CLS]",2],"sep":["[SEP]",3]},
    "added_tokens":[{"id":4,"content":"[MASK]","lstrip":false}],"model":{"type":"WordPiece","vocab":{)" +
                           entries + "}}}";
  return {{0, uniroute_tests::safetensors_bytes({{"a", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"b", {3}, {1, 2, 3}}})},
          {0, uniroute_tests::safetensors_bytes({{"c", {2}, {1, 2}}}, "BF16")},
          {1, npy_bytes()},
          {2, lines + std::string(1, '\0') + "The cats sat [MASK] caf\xC3\xA9 \xE4\xB8\xAD \xF0\x9F\x98\x80 123"},
          {3, json}};
}

/// One to four changes: a byte set, bits flipped, a piece cut out, doubled, or the end cut off.
std::string mutated(std::string bytes, ur::random_engine& engine) {
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

}  // namespace

TEST_CASE("readers accept the corpus, and refuse its mutations by format_error or not at all") {
  ur::random_engine engine(7);
  for (const auto& [reader, bytes] : corpus()) {
    CHECK(feed(reader, bytes));
    std::size_t refused = 0;
    constexpr std::size_t mutations = 600;
    for (std::size_t i = 0; i < mutations; ++i) {
      const std::string input = mutated(bytes, engine);
      bool accepted = false;
      REQUIRE_NOTHROW(accepted = feed(reader, input));
      refused += accepted ? 0 : 1;
    }
    CHECK(refused > mutations / 20);
  }
  std::filesystem::remove(scratch_file());
}

#endif
