#pragma once

// Comma-separated values (RFC 4180) whose every cell knows its line and column.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// The bytes of a file. Throws format_error if it cannot be read.
inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path))
    throw format_error(path.string(), 0, 0, "cannot be opened, but must be a readable file");
  std::ostringstream bytes;
  if (in.peek() != std::ifstream::traits_type::eof()) bytes << in.rdbuf();
  if (!bytes || in.bad()) throw format_error(path.string(), 0, 0, "cannot be read to its end");
  return std::move(bytes).str();
}

/// The bytes of a text file, without a UTF-8 byte order mark. Throws format_error if it cannot be read.
inline std::string read_file(const std::filesystem::path& path) {
  std::string bytes = read_bytes(path);
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
  return bytes;
}

/// One value and where it begins (from 1; columns count bytes).
struct csv_cell {
  std::string text;
  std::size_t line = 0;
  std::size_t column = 0;
};

/// A whole file: the first row is the header, and every row has as many cells. Quoted cells may hold commas, line ends
/// and doubled quotes; lines end in LF or CRLF; empty lines are left out.
class csv_file {
 public:
  /// Throws format_error with line and column for ragged rows, stray or open quotes, bytes that are no UTF-8, other
  /// separators than commas, and a missing or empty file.
  explicit csv_file(const std::filesystem::path& path) : path_(path.string()), bytes_(read_file(path)) {
    const std::size_t bad = first_invalid_utf8(bytes_);
    if (bad != bytes_.size()) {
      const auto before = bytes_.begin() + static_cast<std::ptrdiff_t>(bad);
      const auto line = static_cast<std::size_t>(std::count(bytes_.begin(), before, '\n')) + 1;
      const std::size_t start = bytes_.rfind('\n', bad);
      throw format_error(path_, line, start == std::string::npos ? bad + 1 : bad - start,
                         "is not UTF-8, but must be (a spreadsheet saves it as \"CSV UTF-8\")");
    }
    while (at_ < bytes_.size()) {
      if (empty_line()) continue;
      std::vector<csv_cell> cells = next_row();
      if (!rows_.empty() && cells.size() != rows_[0].size()) {
        const csv_cell& last = cells.back();
        fail(last, text("the row has ", cells.size(), " cells, but the header has ", rows_[0].size()));
      }
      rows_.push_back(std::move(cells));
    }
    if (rows_.empty()) throw format_error(path_, 1, 1, "the file is empty, but must have a header");
    bytes_.clear();
    for (const char other : {';', '\t'}) {
      const csv_cell& first = rows_[0][0];
      const std::size_t at = first.text.find(other);
      if (rows_[0].size() == 1 && at != std::string::npos)
        fail({first.text, first.line, first.column + at},
             text("cells are separated by ", other == ';' ? "semicolons" : "tabs", ", but must be by commas"));
    }
  }

  const std::vector<csv_cell>& header() const noexcept { return rows_[0]; }
  std::size_t size() const noexcept { return rows_.size() - 1; }  ///< rows below the header
  const std::vector<csv_cell>& operator[](std::size_t i) const noexcept { return rows_[i + 1]; }
  const std::string& path() const noexcept { return path_; }

  /// The index of a header cell, if there is one.
  std::optional<std::size_t> find(std::string_view name) const noexcept {
    for (std::size_t j = 0; j < header().size(); ++j) {
      if (header()[j].text == name) return j;
    }
    return std::nullopt;
  }

  [[noreturn]] void fail(const csv_cell& cell, std::string_view what) const {
    throw format_error(path_, cell.line, cell.column, what);
  }

  /// A finite number that fills the cell. Throws format_error otherwise.
  double number(const csv_cell& cell, std::string_view what) const {
    double value = 0;
    const char* end = cell.text.data() + cell.text.size();
    const auto [stop, error] = std::from_chars(cell.text.data(), end, value);
    if (error == std::errc::result_out_of_range && stop == end) {
      // Too large or too small: what is below the smallest double is 0, as other readers say.
      long double wide = 0;
      const bool known = std::from_chars(cell.text.data(), end, wide).ec == std::errc{};
      const std::size_t power = cell.text.find_first_of("eE");
      const bool vanishes = known                        ? std::fabs(wide) < 1
                            : power != std::string::npos ? cell.text.compare(power + 1, 1, "-") == 0
                                                         : cell.text.find_first_not_of("-0") == cell.text.find('.');
      if (vanishes) return 0;
    } else if (error == std::errc{} && stop == end && std::isfinite(value)) {
      return value;
    }
    constexpr std::string_view blanks[] = {"NA", "N/A", "na", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "?"};
    const bool blank = std::find(std::begin(blanks), std::end(blanks), cell.text) != std::end(blanks);
    fail(cell, text(what, " is '", cell.text, "', but must be a finite number",
                    blank ? " (what is missing is an empty cell)" : ""));
  }

 private:
  /// Steps over an empty line. A lone `""` is a row of one empty cell and stays.
  bool empty_line() {
    const std::size_t end = at_ + (bytes_[at_] == '\r' ? 1 : 0);
    if (end < bytes_.size() && bytes_[end] != '\n') return false;
    at_ = end;
    if (at_ < bytes_.size()) new_line();
    return true;
  }

  std::vector<csv_cell> next_row() {
    std::vector<csv_cell> cells;
    while (true) {
      cells.push_back({"", line_, at_ - line_start_ + 1});
      csv_cell& cell = cells.back();
      if (at_ < bytes_.size() && bytes_[at_] == '"') {
        quoted(cell);
      } else {
        const std::size_t stop = std::min(bytes_.find_first_of(",\n\r\"", at_), bytes_.size());
        cell.text.assign(bytes_, at_, stop - at_);
        at_ = stop;
        if (at_ < bytes_.size() && bytes_[at_] == '"')
          fail({"", line_, at_ - line_start_ + 1}, "a quote stands inside a cell, but must open it");
      }
      if (at_ < bytes_.size() && bytes_[at_] == ',') {
        ++at_;
        continue;
      }
      if (at_ < bytes_.size() && bytes_[at_] == '\r') ++at_;
      if (at_ < bytes_.size()) {
        if (bytes_[at_] != '\n')
          fail({"", line_, at_ - line_start_ + 1}, "a comma or the end of the line must follow a cell");
        new_line();
      }
      return cells;
    }
  }

  void quoted(csv_cell& cell) {
    for (++at_; at_ < bytes_.size(); ++at_) {
      if (bytes_[at_] == '"') {
        if (at_ + 1 >= bytes_.size() || bytes_[at_ + 1] != '"') {
          ++at_;
          return;
        }
        ++at_;
      }
      cell.text.push_back(bytes_[at_]);
      if (bytes_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
    }
    fail(cell, "the quote that opens this cell is never closed");
  }

  void new_line() {
    ++at_;
    ++line_;
    line_start_ = at_;
  }

  std::string path_;
  std::string bytes_;
  std::size_t at_ = 0, line_ = 1, line_start_ = 0;
  std::vector<std::vector<csv_cell>> rows_;
};

/// A text as one CSV cell, quoted where it has to be.
inline std::string csv_text(std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(value);
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

/// The shortest digits that read back as the same double.
inline std::string shortest_digits(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

/// The decimal number 1 − x, for x = 0.fraction with a last digit other than 0: exact, however many digits.
inline std::string one_minus(std::string_view fraction) {
  std::string out = "0.";
  for (const char digit : fraction.substr(0, fraction.size() - 1)) out.push_back(static_cast<char>('0' + '9' - digit));
  out.push_back(static_cast<char>('0' + '9' + 1 - fraction.back()));
  return out;
}

/// The loss of a quality in [0, 1] written as `digits`: the double nearest to 1 − that decimal number, so that .9 gives
/// .1 and not .09999999999999998. Digits with an exponent give 1 − quality.
inline double loss_of(std::string_view digits, double quality) {
  const std::size_t point = digits.find('.');
  if (point == std::string_view::npos || digits.find_first_of("-eE") != std::string_view::npos) return 1 - quality;
  if (digits.substr(0, point).find_first_not_of('0') != std::string_view::npos) return 0;
  const std::size_t last = digits.find_last_not_of('0');
  if (last == point) return 1;
  const std::string rest = one_minus(digits.substr(point + 1, last - point));
  double loss = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), loss);
  return loss;
}

/// The quality, as digits, that `loss_of` turns into this loss again, bit for bit.
inline std::string quality_digits(double loss) {
  if (loss == 0 || loss == 1) return loss == 0 ? "1" : "0";
  char buffer[512];  // the smallest double has 324 decimals
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, loss, std::chars_format::fixed);
  return one_minus(std::string_view(buffer + 2, static_cast<std::size_t>(end - buffer - 2)));
}

}  // namespace uniroute::detail
