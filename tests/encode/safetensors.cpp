#include <catch2/catch.hpp>
#include <cmath>
#include <encode/tiny_model.hpp>
#include <uniroute/encode/safetensors.hpp>

namespace ur = uniroute;
using namespace uniroute_tests;

namespace {

ur::safetensors_file parse(const std::string& bytes) { return {"file", {bytes.begin(), bytes.end()}}; }

/// A file of that header and `size` zero bytes.
std::string with_header(const std::string& header, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> (8 * i) & 0xFF));
  return out + header + std::string(size, '\0');
}

void refused(const std::string& bytes, const char* what) {
  CHECK_THROWS_WITH(parse(bytes), Catch::Contains("file: ") && Catch::Contains(what));
  CHECK_THROWS_AS(parse(bytes), ur::format_error);
}

std::string entry(const std::string& name, const std::string& shape, std::size_t begin, std::size_t end) {
  return "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":[" + std::to_string(begin) +
         "," + std::to_string(end) + "]}";
}

}  // namespace

TEST_CASE("safetensors: tensors come back as they were written, from memory and from a mapped file") {
  const auto tensors = tiny_tensors();
  const temporary_directory folder;
  for (const std::string type : {"F32", "BF16"}) {
    const std::string bytes = safetensors_bytes(tensors, type);
    for (const auto& file : {parse(bytes), ur::safetensors_file(folder.write("a.safetensors", bytes))}) {
      CHECK(file.tensors().size() == tensors.size());
      const auto words = file.read_matrix(tensors[0].name, tensors[0].shape[0], 8);
      CHECK(std::equal(words.begin(), words.end(), tensors[0].values.begin()));
      CHECK(file.read_vector(tensors[3].name, 8) == tensors[3].values);
      CHECK(file.tensor(tensors[0].name).type == type);
    }
  }
}

TEST_CASE("safetensors: half precision is widened exactly") {
  // Independent: IEEE 754-2019, table of binary16 examples.
  using ur::detail::half_to_float;
  CHECK(half_to_float(0x3C00) == 1.0F);
  CHECK(half_to_float(0xC000) == -2.0F);
  CHECK(half_to_float(0x7BFF) == 65504.0F);
  CHECK(half_to_float(0x0400) == 0x1p-14F);
  CHECK(half_to_float(0x0001) == 0x1p-24F);
  CHECK(half_to_float(0x03FF) == 0x1.FF8p-15F);
  CHECK(half_to_float(0x3555) == 0x1.554p-2F);
  CHECK(std::signbit(half_to_float(0x8000)));
  CHECK(std::isinf(half_to_float(0x7C00)));
  CHECK(std::isnan(half_to_float(0x7E00)));
  CHECK(ur::detail::bfloat_to_float(0x4049) == 3.140625F);
}

TEST_CASE("safetensors: a truncated or hostile file is refused, with the place") {
  const std::string good = safetensors_bytes(tiny_tensors());
  for (std::size_t size = 0; size < 3000; size += 7) CHECK_THROWS_AS(parse(good.substr(0, size)), ur::format_error);
  CHECK_THROWS_AS(parse(good.substr(0, good.size() - 1)), ur::format_error);
  refused("", "has 0 bytes, but must have 8");
  refused(std::string(7, 'x'), "has 7 bytes");
  refused("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", "the header length is 18446744073709551615, but must be at most");
  refused(with_header("{}", 0).substr(0, 9), "the header length is 2, but the file has 1 bytes after it");
  refused(with_header("{\"a\"", 0), "byte 13: the header is not valid JSON");
  refused(with_header("[1]", 0), "the header must be a JSON object");
  refused(with_header("{\"a\":" + std::string(50, '[') + std::string(50, ']') + "}", 0), "nested too deeply");
  refused(with_header("{\"a\":" + std::string(100000, '['), 0), "byte 77: the header is not valid JSON");
  refused(with_header("{\"a\":1e999}", 0), "the header is not valid JSON");
  refused(with_header("{\"a\":1}", 0), "must have dtype, shape and data_offsets");
  refused(with_header("{" + entry("a", "[2]", 0, 8) + "," + entry("a", "[2]", 8, 16) + "}", 16), "'a' occurs twice");
  refused(with_header("{" + entry("a", "[2]", 0, 8) + "," + entry("b", "[2]", 4, 12) + "}", 12), "two tensors overlap");
  refused(with_header("{" + entry("a", "[2]", 0, 8) + "," + entry("b", "[2]", 12, 20) + "}", 20),
          "4 bytes belong to no tensor");
  refused(with_header("{" + entry("a", "[2]", 0, 8) + "}", 9), "1 bytes belong to no tensor");
  refused(with_header("{" + entry("a", "[2]", 0, 8) + "}", 4), "within the 4 bytes of data");
  refused(with_header("{" + entry("a", "[2]", 8, 0) + "}", 8), "in order");
  refused(with_header("{" + entry("a", "[3]", 0, 8) + "}", 8), "has 8 bytes, but its shape needs 12");
  refused(with_header("{" + entry("a", "[-2]", 0, 8) + "}", 8), "shape must hold whole numbers");
  refused(with_header("{" + entry("a", "[4294967296,4294967296]", 0, 8) + "}", 8), "the shape overflows");
  refused(with_header("{\"a\":{\"dtype\":\"F99\",\"shape\":[],\"data_offsets\":[0,0]}}", 0), "'F99', which is unknown");
  CHECK_THROWS_AS(ur::safetensors_file("/nowhere/at/all"), ur::format_error);
  CHECK_THROWS_AS(ur::safetensors_file(std::filesystem::temp_directory_path()), ur::format_error);
}

TEST_CASE("safetensors: another shape, type or a value that is not finite is refused when it is read") {
  const auto file = parse(safetensors_bytes({{"a", {2}, {1, INFINITY}}, {"b", {2, 2}, {1, 2, 3, 4}}}));
  CHECK_THROWS_WITH(file.read_vector("a", 3), Catch::Contains("tensor 'a' is 2, but must be 3"));
  CHECK_THROWS_WITH(file.read_matrix("b", 4, 1), Catch::Contains("'b' is 2 x 2, but must be 4 x 1"));
  CHECK_THROWS_WITH(file.read_vector("a", 2), Catch::Contains("value 1 is not finite"));
  CHECK_THROWS_WITH(file.read_vector("c", 2), Catch::Contains("tensor 'c' is missing"));
  const auto whole = parse(with_header("{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8));
  CHECK_THROWS_WITH(whole.read_vector("a", 1), Catch::Contains("holds I64, but must hold F32, F16 or BF16"));
}
