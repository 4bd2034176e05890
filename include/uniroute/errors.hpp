#pragma once

// The errors of uniroute.
//
// Shapes and parameters: std::invalid_argument. Values (NaN, a loss outside [0, 1]): std::domain_error.
// Order of calls: not_fitted. Files: format_error, with file, line and column.
// Text is "function: thing is value, but must be rule".

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace uniroute {

/// A call came before the one it needs: `predict` before `fit`, `route` with an empty pool.
class not_fitted : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A file does not hold what its format promises. Lines and columns count from 1; 0 means "not known".
class format_error : public std::runtime_error {
 public:
  format_error(std::string file, std::size_t line, std::size_t column, std::string_view what)
      : std::runtime_error(compose(file, line, column, what)), file_(std::move(file)), line_(line), column_(column) {}

  const std::string& file() const noexcept { return file_; }
  std::size_t line() const noexcept { return line_; }
  std::size_t column() const noexcept { return column_; }

 private:
  static std::string compose(const std::string& file, std::size_t line, std::size_t column, std::string_view what) {
    std::string text = file;
    if (line != 0) text += ":" + std::to_string(line);
    if (line != 0 && column != 0) text += ":" + std::to_string(column);
    return text.append(": ").append(what);
  }

  std::string file_;
  std::size_t line_;
  std::size_t column_;
};

}  // namespace uniroute
