#include <uniroute/data/npy.hpp>
#include <uniroute/missing.hpp>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <data/temporary_directory.hpp>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace ur = uniroute;
using uniroute_tests::temporary_directory;

// A .npy file made by hand, after the format's description in NEP 1.
std::string npy(char version, const std::string& header, const std::string& data) {
  std::string out = "\x93NUMPY";
  out += version;
  out += '\0';
  const std::size_t length = header.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(length >> (8 * i) & 0xFF);
  return out + header + data;
}

template <class T>
std::string bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string header(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

std::string refusal(const std::string& content) {
  temporary_directory dir;
  try {
    ur::read_npy_matrix<float>(dir.write("x.npy", content));
  } catch (const ur::format_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

const std::vector<float> six{1, 2, 3, 4, 5, 6};

}  // namespace

TEST_CASE("npy matrices written are read back bit for bit") {
  temporary_directory dir;
  auto f = ur::make_matrix<float>(3, 2, 0.1F);
  f(2, 1) = -0.0F;
  f(0, 1) = std::numeric_limits<float>::quiet_NaN();
  auto d = ur::make_matrix<double>(2, 5, 1.0 / 3);
  d(1, 4) = ur::missing;
  ur::write_npy(dir.path() / "f.npy", f);
  ur::write_npy(dir.path() / "d.npy", d);
  const auto f2 = ur::read_npy_matrix<float>(dir.path() / "f.npy");
  const auto d2 = ur::read_npy_matrix<double>(dir.path() / "d.npy");
  REQUIRE(f2.shape() == f.shape());
  REQUIRE(d2.shape() == d.shape());
  CHECK(std::memcmp(f2.data(), f.data(), f.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(d2.data(), d.data(), d.size() * sizeof(double)) == 0);
  CHECK(ur::is_exactly_missing(d2(1, 4)));
}

TEST_CASE("npy vectors written are read back, empty ones too") {
  temporary_directory dir;
  const std::vector<double> d{0.1, -5e-324};
  const std::vector<std::uint32_t> u{0, 4294967295};
  ur::write_npy(dir.path() / "d.npy", d);
  ur::write_npy(dir.path() / "u.npy", u);
  ur::write_npy(dir.path() / "e.npy", std::vector<double>{});
  CHECK(ur::read_npy_vector<double>(dir.path() / "d.npy") == d);
  CHECK(ur::read_npy_vector<std::uint32_t>(dir.path() / "u.npy") == u);
  CHECK(ur::read_npy_vector<double>(dir.path() / "e.npy").empty());
  CHECK_THROWS_AS(ur::read_npy_vector<std::uint32_t>(dir.path() / "d.npy"), ur::format_error);
  CHECK_THROWS_AS(ur::read_npy_matrix<double>(dir.path() / "d.npy"), ur::format_error);
}

TEST_CASE("npy headers written end on a multiple of 64 bytes, as NumPy's do") {
  temporary_directory dir;
  for (std::size_t n = 1; n < 100000; n *= 7) {
    ur::write_npy(dir.path() / "v.npy", std::vector<double>(n));
    CHECK((std::filesystem::file_size(dir.path() / "v.npy") - n * sizeof(double)) % 64 == 0);
  }
}

TEST_CASE("npy reads a Fortran-order array as NumPy lays it out") {
  // [[1, 2, 3], [4, 5, 6]] by columns, after a header padded to 128 bytes.
  std::string file("\x93NUMPY\x01\x00v\x00", 10);
  file += "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }";
  file.append(127 - file.size(), ' ').push_back('\n');
  file += bytes<float>({1, 4, 2, 5, 3, 6});
  temporary_directory dir;
  const auto m = ur::read_npy_matrix<double>(dir.write("x.npy", file));
  REQUIRE(ur::rows(m) == 2);
  REQUIRE(ur::columns(m) == 3);
  for (std::size_t i = 0; i < 6; ++i) CHECK(m.data()[i] == static_cast<double>(i + 1));
}

TEST_CASE("npy reads format versions 1, 2 and 3 and both widths") {
  temporary_directory dir;
  for (const char version : {char{1}, char{2}, char{3}}) {
    const auto m = ur::read_npy_matrix<float>(dir.write("x.npy", npy(version, header("<f4", "(2, 3)"), bytes(six))));
    CHECK(m(1, 0) == 4);
    const auto d = ur::read_npy_matrix<float>(
        dir.write("y.npy", npy(version, header("<f8", "(1,2,)"), bytes<double>({0.5, 0.1}))));
    CHECK(d(0, 1) == 0.1F);
  }
}

TEST_CASE("npy refuses absurd extents where there are no values to bound them") {
  CHECK(refusal(npy(1, header("<f4", "(16777216, 0)"), "")) == "nothing was thrown");
  CHECK_THAT(refusal(npy(1, header("<f4", "(16777217, 0)"), "")),
             Catch::Contains("has no values, but an extent of 16777217, which must then be at most 16777216"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(0, 1152921504606846976)"), "")), Catch::Contains("an extent of"));
}

TEST_CASE("npy refuses files whose size and shape disagree") {
  const std::string good = npy(1, header("<f4", "(2, 3)"), bytes(six));
  CHECK(refusal(good) == "nothing was thrown");
  CHECK_THAT(refusal(good + "x"), Catch::Contains("has 25 bytes of data, but its shape needs 24"));
  CHECK_THAT(refusal(good.substr(0, good.size() - 1)), Catch::Contains("has 23 bytes of data"));
  // Cut anywhere, never a crash and never a value.
  for (std::size_t n = 0; n < good.size(); ++n) CHECK(refusal(good.substr(0, n)) != "nothing was thrown");
}

TEST_CASE("npy refuses hostile shapes without overflow, allocation or an endless loop") {
  CHECK_THAT(refusal(npy(1, header("<f4", "(4294967296, 4294967296)"), "")), Catch::Contains("overflows"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(4611686018427387904, 1)"), "")), Catch::Contains("overflows"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(1000000000000, 3)"), "")), Catch::Contains("bytes of data"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(99999999999999999999, 1)"), "")), Catch::Contains("whole numbers"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(-1, 1)"), "")), Catch::Contains("whole numbers"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(2 3)"), bytes(six))), Catch::Contains("commas"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(6,)"), bytes(six))), Catch::Contains("1 dimensions"));
  CHECK_THAT(refusal(npy(1, header("<f4", "()"), "")), Catch::Contains("0 dimensions"));
  CHECK_THAT(refusal(npy(1, header("<f4", "2, 3"), bytes(six))), Catch::Contains("tuple"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(2, 3"), bytes(six))), Catch::Contains("tuple"));
  CHECK(refusal(npy(1, header("<f4", "(16777216, 0)", "True"), "")) == "nothing was thrown");
}

TEST_CASE("npy headers may have any blanks, an empty type, and texts in either quotes") {
  temporary_directory dir;
  const auto same = [&](const std::string& head) {
    const auto read = ur::read_npy_matrix<float>(dir.write("x.npy", npy(1, head, bytes(six))));
    return ur::rows(read) == 2 && ur::columns(read) == 3 && read(1, 2) == 6;
  };
  CHECK(same("{'descr': '<f4', 'fortran_order': False, 'shape': (2 , 3 ), }\n"));
  CHECK(same("{'descr': '<f4', 'fortran_order': False, 'shape': (  2  ,3), }\n"));
  CHECK(same("{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 3), }\n"));
  CHECK_THAT(refusal(npy(1, "{'descr': <f4<, 'fortran_order': False, 'shape': (2, 3), }\n", bytes(six))),
             Catch::Contains("'descr' must be a quoted text"));
  CHECK_THAT(refusal(npy(1, header("", "(2, 3)"), bytes(six))), Catch::Contains("''"));
  CHECK_THAT(refusal(npy(1, "{'fortran_order': False, 'shape': (2, 3), 'descr': '", "")),
             Catch::Contains("'descr' must be a quoted text"));
  // Long headers: the length takes all of its four bytes.
  std::string wide = header("<f4", "(2, 3)");
  wide.insert(wide.size() - 1, std::string(70000, ' '));
  CHECK(ur::read_npy_matrix<float>(dir.write("wide.npy", npy(2, wide, bytes(six))))(1, 2) == 6);
}

TEST_CASE("npy refuses other types, byte orders, versions and files that are something else") {
  CHECK_THAT(refusal(npy(1, header(">f4", "(2, 3)"), bytes(six))), Catch::Contains("'>f4'"));
  CHECK_THAT(refusal(npy(1, header("<i4", "(2, 3)"), bytes(six))), Catch::Contains("'<i4'"));
  CHECK_THAT(refusal(npy(1, header("|O", "(2, 3)"), bytes(six))), Catch::Contains("'|O'"));
  CHECK_THAT(refusal(npy(4, header("<f4", "(2, 3)"), bytes(six))), Catch::Contains("version 4"));
  CHECK_THAT(refusal("id,model\n1,2\n......"), Catch::Contains("signature"));
  CHECK_THAT(refusal(npy(1, "{'descr': '<f4', 'shape': (2, 3)}\n", bytes(six))), Catch::Contains("fortran_order"));
  CHECK_THAT(refusal(npy(1, header("<f4", "(2, 3)", "Maybe"), bytes(six))), Catch::Contains("True or False"));
  CHECK_THAT(refusal(npy(2, "", "") + "x"), Catch::Contains("no 'descr'"));
  std::string long_header = npy(2, header("<f4", "(2, 3)"), bytes(six));
  long_header[11] = '\xFF';  // a header of 4 GiB
  CHECK_THAT(refusal(long_header), Catch::Contains("inside the header"));
  temporary_directory dir;
  CHECK_THROWS_AS(ur::read_npy_matrix<float>(dir.path() / "none.npy"), ur::format_error);
  CHECK_THROWS_AS(ur::read_npy_matrix<float>(dir.path()), ur::format_error);
  CHECK_THROWS_AS(ur::write_npy(dir.path() / "none" / "x.npy", std::vector<double>{1}), ur::format_error);
}
