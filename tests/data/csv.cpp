#include <uniroute/data/csv.hpp>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <data/temporary_directory.hpp>
#include <string>
#include <uniroute/random.hpp>
#include <vector>

namespace {

using uniroute::format_error;
using uniroute::detail::csv_file;
using uniroute_tests::temporary_directory;

std::vector<std::vector<std::string>> texts(const std::string& content) {
  temporary_directory dir;
  const csv_file file(dir.write("t.csv", content));
  std::vector<std::vector<std::string>> out(file.size() + 1);
  for (const auto& cell : file.header()) out[0].push_back(cell.text);
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const auto& cell : file[i]) out[i + 1].push_back(cell.text);
  }
  return out;
}

struct place {
  std::size_t line, column;
  std::string what;
};

place error_of(const std::string& content) {
  try {
    texts(content);
  } catch (const format_error& error) {
    return {error.line(), error.column(), error.what()};
  }
  return {0, 0, "nothing was thrown"};
}

using rows = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("csv reads plain rows with LF, CRLF, a byte order mark and no line end at the end") {
  const rows wanted{{"a", "b"}, {"1", "2"}, {"", "4"}};
  CHECK(texts("a,b\n1,2\n,4\n") == wanted);
  CHECK(texts("a,b\r\n1,2\r\n,4\r\n") == wanted);
  CHECK(texts("\xEF\xBB\xBF"
              "a,b\n1,2\n,4") == wanted);
  CHECK(texts("a,b\n\n1,2\r\n\r\n\n,4\n\n") == wanted);
}

TEST_CASE("csv reads quoted commas, line ends and doubled quotes") {
  CHECK(texts("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n") == rows{{"a", "b"}, {"x,y", "say \"hi\""}});
  CHECK(texts("a,b\n\"two\nlines\",\"\"\n") == rows{{"a", "b"}, {"two\nlines", ""}});
  CHECK(texts("a\n\"\"\nx\n") == rows{{"a"}, {""}, {"x"}});
}

TEST_CASE("csv cells know their line and column, also after embedded line ends") {
  temporary_directory dir;
  const csv_file file(dir.write("t.csv", "id,b\n\"x\ny\",22\nz,333\n"));
  CHECK(file.header()[1].line == 1);
  CHECK(file.header()[1].column == 4);
  CHECK(file[0][0].line == 2);
  CHECK(file[0][0].column == 1);
  CHECK(file[0][1].line == 3);
  CHECK(file[0][1].column == 4);
  CHECK(file[1][1].line == 4);
  CHECK(file[1][1].column == 3);
}

TEST_CASE("csv errors name the line and the column") {
  const auto ragged = error_of("a,b\n1,2\n1,2,3\n");
  CHECK(ragged.line == 3);
  CHECK(ragged.column == 5);
  CHECK_THAT(ragged.what, Catch::Contains("the row has 3 cells, but the header has 2"));
  CHECK_THAT(ragged.what, Catch::Contains("t.csv:3:5: "));
  CHECK(error_of("a,b\n1\n").line == 2);

  const auto open = error_of("a,b\n1,\"never\nclosed\n");
  CHECK(open.line == 2);
  CHECK(open.column == 3);
  CHECK_THAT(open.what, Catch::Contains("never closed"));

  const auto inside = error_of("a,b\n1,x\"y\n");
  CHECK(inside.line == 2);
  CHECK(inside.column == 4);

  const auto after = error_of("a,b\n\"1\"x,2\n");
  CHECK(after.line == 2);
  CHECK(after.column == 4);

  CHECK_THAT(error_of("").what, Catch::Contains("empty"));
  CHECK_THAT(error_of("\n\n").what, Catch::Contains("empty"));
}

TEST_CASE("csv refuses a file that is missing or a directory") {
  temporary_directory dir;
  CHECK_THROWS_AS(csv_file(dir.path() / "none.csv"), format_error);
  CHECK_THROWS_AS(csv_file(dir.path()), format_error);
}

TEST_CASE("csv numbers fill their cell and are finite") {
  temporary_directory dir;
  const csv_file file(dir.write("t.csv", "n\n1.5\n-2e-3\n0\n"));
  CHECK(file.number(file[0][0], "n") == 1.5);
  CHECK(file.number(file[1][0], "n") == -2e-3);
  CHECK(file.number(file[2][0], "n") == 0);
  const csv_file bad(dir.write("u.csv", "n,m\nnan,inf\n1x, 1\n1e999,\n"));
  for (std::size_t i = 0; i < bad.size(); ++i) {
    for (const auto& cell : bad[i]) CHECK_THROWS_AS(bad.number(cell, "n"), format_error);
  }
}

TEST_CASE("csv_text is read back as the same text") {
  for (const std::string value : {"plain", "a,b", "say \"hi\"", "two\nlines", "cr\r\n", "", "\""}) {
    CHECK(texts("x,y\n" + uniroute::detail::csv_text(value) + ",1\n") == rows{{"x", "y"}, {value, "1"}});
  }
}

TEST_CASE("a loss is the double nearest to one minus the decimal quality") {
  using uniroute::detail::loss_of;
  CHECK(loss_of("1", 1) == 0);
  CHECK(loss_of("0", 0) == 1);
  CHECK(loss_of("0.0", 0) == 1);
  CHECK(loss_of("1.00", 1) == 0);
  CHECK(loss_of("0.9", 0.9) == 0.1);
  CHECK(1 - 0.9 != 0.1);  // what the rule is for
  CHECK(loss_of(".25", .25) == 0.75);
  CHECK(loss_of("0.700", 0.7) == 0.3);
  CHECK(loss_of("0.99999999999999999999", 1) == 1e-20);
  CHECK(loss_of("5e-1", 0.5) == 0.5);
}

TEST_CASE("every loss is read back from its quality bit for bit") {
  using uniroute::detail::loss_of;
  using uniroute::detail::quality_digits;
  uniroute::random_engine draws(7);
  std::vector<double> losses{0, 1, 0.1, 1.0 / 3, 1e-20, 5e-324, 0x1.fffffffffffffp-1, 0x1p-53, 2.2250738585072014e-308};
  for (int i = 0; i < 20000; ++i)
    losses.push_back(draws.uniform() * std::exp2(-static_cast<double>(draws.below(1060))));
  std::size_t wrong = 0, outside = 0;
  for (const double loss : losses) {
    const std::string digits = quality_digits(loss);
    const double quality = std::stod(digits);
    outside += quality >= 0 && quality <= 1 ? 0u : 1u;
    wrong += loss_of(digits, quality) == loss ? 0u : 1u;
  }
  CHECK(wrong == 0);
  CHECK(outside == 0);
}

TEST_CASE("csv: what is no number is said so, and blanks of other programs are told what a blank is here") {
  const auto message = [](const std::string& cell) {
    uniroute_tests::temporary_directory dir;
    const uniroute::detail::csv_file file(dir.write("n.csv", "a,b\n" + cell + ",1\n"));
    try {
      file.number(file[0][0], "value");
    } catch (const uniroute::format_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  CHECK_THAT(message("NA"),
             Catch::EndsWith("value is 'NA', but must be a finite number (what is missing is an empty cell)"));
  CHECK_THAT(message("much"), Catch::EndsWith("value is 'much', but must be a finite number"));
  CHECK_THAT(message("1e999"), Catch::EndsWith("value is '1e999', but must be a finite number"));
  CHECK_THAT(message("1e-999x"), Catch::EndsWith("value is '1e-999x', but must be a finite number"));
  CHECK(message("1e-999") == "nothing was thrown");
}
