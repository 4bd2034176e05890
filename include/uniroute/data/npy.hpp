#pragma once

// NumPy's .npy arrays (format versions 1 to 3), little-endian, one or two dimensions.

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <uniroute/arrays.hpp>
#include <uniroute/data/csv.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>
#include <vector>

namespace uniroute {

static_assert(std::endian::native == std::endian::little, "npy: only little-endian machines are supported");

namespace detail {

/// What a header says, and the file it stands in.
struct npy_array {
  std::string type;  ///< "<f4", "<f8", "<u4", …
  bool fortran = false;
  std::vector<std::size_t> shape;
  std::string bytes;  ///< of the file
  std::size_t start = 0;
};

/// Reads the header, which is a Python dictionary of three known keys, and checks that the data are all there.
class npy_header {
 public:
  explicit npy_header(const std::filesystem::path& path) : path_(path.string()) {
    out_.bytes = read_bytes(path);
    const std::string& b = out_.bytes;
    if (b.size() < 10 || b.compare(0, 6, "\x93NUMPY") != 0) fail("does not begin with the .npy signature");
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(b[i])); };
    if (byte(6) < 1 || byte(6) > 3) fail(text("has format version ", byte(6), ", but must have 1, 2 or 3"));
    const std::size_t fixed = byte(6) == 1 ? 10 : 12;
    if (b.size() < fixed) fail("ends inside the header");
    std::size_t length = byte(8) | byte(9) << 8;
    if (fixed == 12) length |= byte(10) << 16 | byte(11) << 24;
    if (length > b.size() - fixed) fail("ends inside the header");
    header_ = std::string_view(b).substr(fixed, length);
    out_.start = fixed + length;
    out_.type = quoted("descr");
    const std::string_view order = value("fortran_order");
    if (!order.starts_with("True") && !order.starts_with("False")) fail("fortran_order must be True or False");
    out_.fortran = order.starts_with("True");
    read_shape();
  }

  static constexpr std::size_t most_empty = std::size_t{1} << 24;  ///< rows of an array without columns, or the reverse

  npy_array take() && { return std::move(out_); }

  [[noreturn]] void fail(std::string_view what) const { throw format_error(path_, 0, 0, what); }

  /// Checks that the file holds exactly the values that its shape promises.
  void check_size(std::size_t item) const {
    std::size_t count = 1;
    for (const std::size_t extent : out_.shape) {
      if (extent != 0 && count > std::numeric_limits<std::size_t>::max() / item / extent) fail("the shape overflows");
      count *= extent;
    }
    // Where there are no values, nothing in the file bounds the extents, and readers keep something for each row.
    for (const std::size_t extent : out_.shape) {
      if (count == 0 && extent > most_empty)
        fail(text("has no values, but an extent of ", extent, ", which must then be at most ", most_empty));
    }
    const std::size_t there = out_.bytes.size() - out_.start;
    if (there != count * item) fail(text("has ", there, " bytes of data, but its shape needs ", count * item));
  }

  const npy_array& array() const noexcept { return out_; }

 private:
  std::string_view value(std::string_view key) const {
    for (const char quote : {'\'', '"'}) {
      const std::string wanted = quote + std::string(key) + quote;
      const std::size_t at = header_.find(wanted);
      if (at == std::string_view::npos) continue;
      std::string_view rest = header_.substr(at + wanted.size());
      const std::size_t start = rest.find_first_not_of(" :");
      if (start == std::string_view::npos) break;
      return rest.substr(start);
    }
    fail(text("the header has no '", key, "'"));
  }

  std::string quoted(std::string_view key) const {
    const std::string_view v = value(key);
    const std::size_t end = v.size() < 2 || (v[0] != '\'' && v[0] != '"') ? std::string_view::npos : v.find(v[0], 1);
    if (end == std::string_view::npos) fail(text("'", key, "' must be a quoted text"));
    return std::string(v.substr(1, end - 1));
  }

  void read_shape() {
    std::string_view v = value("shape");
    if (v.empty() || v[0] != '(') fail("shape must be a tuple");
    const std::size_t end = v.find(')');
    if (end == std::string_view::npos) fail("shape must be a tuple");
    v = v.substr(1, end - 1);
    while (v.find_first_not_of(' ') != std::string_view::npos) {
      v.remove_prefix(v.find_first_not_of(' '));
      std::size_t extent = 0;
      const auto [stop, error] = std::from_chars(v.data(), v.data() + v.size(), extent);
      if (error != std::errc{}) fail("shape must hold whole numbers");
      out_.shape.push_back(extent);
      v.remove_prefix(static_cast<std::size_t>(stop - v.data()));
      v.remove_prefix(std::min(v.find_first_not_of(' '), v.size()));
      if (!v.empty() && v[0] != ',') fail("shape must hold whole numbers with commas between them");
      if (!v.empty()) v.remove_prefix(1);
    }
  }

  std::string path_;
  std::string_view header_;
  npy_array out_;
};

template <class T>
constexpr std::string_view npy_type() {
  if constexpr (std::same_as<T, float>) return "<f4";
  if constexpr (std::same_as<T, double>) return "<f8";
  if constexpr (std::same_as<T, std::uint32_t>) return "<u4";
}

template <class Stored>
Stored npy_item(const npy_array& a, std::size_t i) noexcept {
  Stored out;
  std::memcpy(&out, a.bytes.data() + a.start + i * sizeof(Stored), sizeof(Stored));
  return out;
}

template <class T, class Stored>
matrix<T> npy_matrix(const npy_array& a) {
  const std::size_t n = a.shape[0], m = a.shape[1];
  auto out = make_matrix<T>(n, m);
  if (out.size() == 0) return out;  // n alone may be any number
  if constexpr (std::same_as<T, Stored>) {
    if (!a.fortran) {
      std::memcpy(out.data(), a.bytes.data() + a.start, out.size() * sizeof(T));
      return out;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < m; ++j)
      out(i, j) = static_cast<T>(npy_item<Stored>(a, a.fortran ? j * n + i : i * m + j));
  }
  return out;
}

}  // namespace detail

/// A matrix from a two-dimensional array of float32 or float64, in C or Fortran order; converted to T.
/// Throws format_error for any other content, for a float64 that is too large for T, and for a file shorter or longer
/// than its shape says.
template <class T>
requires std::floating_point<T> matrix<T> read_npy_matrix(const std::filesystem::path& path) {
  detail::npy_header header(path);
  const auto& a = header.array();
  if (a.shape.size() != 2) header.fail(detail::text("has ", a.shape.size(), " dimensions, but must have 2"));
  if (a.type != "<f4" && a.type != "<f8")
    header.fail(detail::text("holds '", a.type, "', but must hold '<f4' or '<f8' (float32 or float64)"));
  header.check_size(a.type == "<f4" ? 4 : 8);
  matrix<T> out = a.type == "<f4" ? detail::npy_matrix<T, float>(a) : detail::npy_matrix<T, double>(a);
  if (std::same_as<T, float> && a.type == "<f8") {
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!std::isinf(out.data()[i])) continue;
      const std::size_t row_of = i / a.shape[1], column_of = i % a.shape[1];
      const double value = detail::npy_item<double>(a, a.fortran ? column_of * a.shape[0] + row_of : i);
      if (!std::isinf(value))
        header.fail(detail::text("row ", row_of, ", column ", column_of, " is ", value, ", which float32 cannot hold"));
    }
  }
  return out;
}

/// A vector from a one-dimensional array of exactly T (double or uint32). Throws format_error for any other content.
template <class T>
std::vector<T> read_npy_vector(const std::filesystem::path& path) {
  detail::npy_header header(path);
  const auto& a = header.array();
  if (a.shape.size() != 1 || a.type != detail::npy_type<T>())
    header.fail(detail::text("holds '", a.type, "' in ", a.shape.size(), " dimensions, but must hold '",
                             detail::npy_type<T>(), "' in 1"));
  header.check_size(sizeof(T));
  std::vector<T> out(a.shape[0]);
  if (!out.empty()) std::memcpy(out.data(), a.bytes.data() + a.start, out.size() * sizeof(T));
  return out;
}

namespace detail {

template <class T>
void write_npy(const std::filesystem::path& path, const T* data, std::size_t count, const std::string& shape) {
  std::string header = text("{'descr': '", npy_type<T>(), "', 'fortran_order': False, 'shape': (", shape, "), }");
  header.append(63 - (10 + header.size()) % 64, ' ').push_back('\n');
  std::ofstream out(path, std::ios::binary);
  const std::string start = {'\x93',
                             'N',
                             'U',
                             'M',
                             'P',
                             'Y',
                             1,
                             0,
                             static_cast<char>(header.size() & 0xFF),
                             static_cast<char>(header.size() >> 8)};
  out << start << header;
  out.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(count * sizeof(T)));
  if (!out.flush()) throw format_error(path.string(), 0, 0, "cannot be written");
}

}  // namespace detail

/// Writes a float32 or float64 matrix in C order. Throws format_error if the file cannot be written.
template <class T>
void write_npy(const std::filesystem::path& path, const matrix<T>& values) {
  detail::write_npy(path, values.data(), values.size(), detail::text(rows(values), ", ", columns(values)));
}

/// Writes a vector of double or uint32. Throws format_error if the file cannot be written.
template <class T>
void write_npy(const std::filesystem::path& path, const std::vector<T>& values) {
  detail::write_npy(path, values.data(), values.size(), detail::text(values.size(), ","));
}

}  // namespace uniroute
