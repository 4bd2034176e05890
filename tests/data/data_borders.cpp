// Files and splits at their borders.

#include <catch2/catch.hpp>
#include <data/temporary_directory.hpp>
#include <filesystem>
#include <fstream>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("an npy file's values begin on a multiple of 64 bytes, whatever its shape, as NumPy's do") {
  uniroute_tests::temporary_directory dir;
  std::set<std::size_t> starts;
  for (std::size_t rows : {std::size_t{1}, std::size_t{9}, std::size_t{10}, std::size_t{123}, std::size_t{12345}}) {
    for (std::size_t columns : {std::size_t{1}, std::size_t{10}}) {
      ur::write_npy(dir.path() / "m.npy", ur::make_matrix<float>(rows, columns, 1.0F));
      const std::size_t size = std::filesystem::file_size(dir.path() / "m.npy");
      const std::size_t start = size - rows * columns * sizeof(float);
      CHECK(start % 64 == 0);
      CHECK(start < 192);
      starts.insert(start);
      std::ifstream file(dir.path() / "m.npy", std::ios::binary);
      std::string head(start, '\0');
      file.read(head.data(), static_cast<std::streamsize>(start));
      CHECK(head.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
      CHECK(static_cast<unsigned char>(head[8]) + 256 * static_cast<unsigned char>(head[9]) ==
            static_cast<int>(start) - 10);
      CHECK(head.back() == '\n');
      CHECK(head[start - 2] == ' ');
      CHECK((ur::read_npy_matrix<float>(dir.path() / "m.npy") == ur::make_matrix<float>(rows, columns, 1.0F)));
    }
  }
}

TEST_CASE("a vector of one type is not read as one of another, nor a matrix as a vector") {
  uniroute_tests::temporary_directory dir;
  {  // as many bytes, but whole numbers
    ur::write_npy(dir.path() / "whole.npy", std::vector<double>{1, 2});
    std::fstream file(dir.path() / "whole.npy", std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes(128, ' ');
    file.read(bytes.data(), 128);
    file.seekp(static_cast<std::streamoff>(bytes.find("<f8")));
    file.write("<i8", 3);
  }
  CHECK_THROWS_AS(ur::read_npy_vector<double>(dir.path() / "whole.npy"), ur::format_error);
  // A shape so long that its header needs another 64 bytes.
  ur::write_npy(dir.path() / "long.npy", ur::make_matrix<float>(0, 1'000'000'000'000'000));
  CHECK(std::filesystem::file_size(dir.path() / "long.npy") % 64 == 0);
  ur::write_npy(dir.path() / "v.npy", std::vector<std::uint32_t>{1, 2, 3, 4});
  CHECK(ur::read_npy_vector<std::uint32_t>(dir.path() / "v.npy") == std::vector<std::uint32_t>{1, 2, 3, 4});
  CHECK_THROWS_AS(ur::read_npy_vector<double>(dir.path() / "v.npy"), ur::format_error);
  ur::write_npy(dir.path() / "d.npy", std::vector<double>{1, 2});
  CHECK_THROWS_AS(ur::read_npy_vector<std::uint32_t>(dir.path() / "d.npy"), ur::format_error);
  ur::write_npy(dir.path() / "m.npy", ur::make_matrix<double>(2, 2, 1.0));
  CHECK_THROWS_AS(ur::read_npy_vector<double>(dir.path() / "m.npy"), ur::format_error);
}

TEST_CASE("three unseen LLMs are a pool; with two left the pool is static, or refused") {
  ur::routing_table_parts parts;
  parts.name = "small";
  const std::size_t n = 30, m = 9;
  parts.losses = ur::make_matrix<double>(n, m, .5);
  parts.costs = ur::make_matrix<double>(n, m, 1.0);
  parts.embeddings = ur::make_matrix<float>(n, 1, 0.0F);
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(std::to_string(i));
    parts.embeddings(i, 0) = static_cast<float>(i);
  }
  for (std::size_t h = 0; h < m; ++h) parts.models.push_back({.name = std::to_string(h)});
  const ur::routing_table table(parts);
  const auto three = ur::split_rows(table, {.seen_models = 6.0 / 9});
  CHECK_FALSE(three.static_pool);
  CHECK(three.seen.size() == 6);
  CHECK(three.unseen.size() == 3);
  const auto two = ur::split_rows(table, {.seen_models = 7.0 / 9});
  CHECK(two.static_pool);
  CHECK(two.seen.size() == 9);
  CHECK(two.unseen == two.seen);
  CHECK_THROWS_WITH(ur::split_rows(table, {.seen_models = 7.0 / 9, .allow_static_pool = false}),
                    Catch::Contains("2 models would be unseen, but at least 3 must be"));
}
