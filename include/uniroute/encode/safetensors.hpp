#pragma once

// Tensors in a .safetensors file: eight bytes of header length, a JSON header, then the tensors' bytes. Memory-mapped.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/detail/json_file.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>
#include <uniroute/numeric/float16.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What the header says of one tensor, and its bytes, which live as long as the file object does.
struct tensor_view {
  std::string type;  ///< "F32", "F16", "BF16", …
  std::vector<std::size_t> shape;
  std::span<const unsigned char> bytes;

  /// Product of the extents.
  std::size_t size() const noexcept {
    std::size_t count = 1;
    for (const std::size_t extent : shape) count *= extent;
    return count;
  }
};

/// A .safetensors file, checked as a whole when it is opened: header within the file, every name once, every tensor's
/// bytes inside the file, as many as its type and shape need, without gaps, overlaps or bytes left over (the format's
/// own rules). Any type is listed; F32, F16 and BF16 can be read. Copies share the mapping. Thread-safe.
class safetensors_file {
 public:
  /// Throws format_error, with the byte where it stands, for anything the format forbids.
  explicit safetensors_file(const std::filesystem::path& path)
      : safetensors_file(path.string(), std::make_shared<const mapped_file>(path)) {}

  /// From bytes in memory, under a name for messages.
  safetensors_file(std::string name, std::vector<unsigned char> bytes)
      : safetensors_file(std::move(name), std::make_shared<const mapped_file>(std::move(bytes))) {}

  const std::map<std::string, tensor_view, std::less<>>& tensors() const noexcept { return tensors_; }

  bool contains(std::string_view name) const noexcept { return tensors_.find(name) != tensors_.end(); }

  /// Throws format_error if there is none of that name.
  const tensor_view& tensor(std::string_view name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail(detail::text("tensor '", name, "' is missing"));
    return found->second;
  }

  /// A tensor of n x m as float32; F16 and BF16 are widened, which is exact.
  /// Throws format_error for another shape or type and for values that are not finite.
  matrix<float> read_matrix(std::string_view name, std::size_t n, std::size_t m) const {
    check_shape(name, {n, m});
    auto out = make_matrix<float>(n, m);
    widen(name, tensor(name), out.data());
    return out;
  }

  /// A tensor of n values as float32.
  std::vector<float> read_vector(std::string_view name, std::size_t n) const {
    check_shape(name, {n});
    std::vector<float> out(n);
    widen(name, tensor(name), out.data());
    return out;
  }

  /// Throws format_error unless there is a tensor of that name and shape.
  void check_shape(std::string_view name, const std::vector<std::size_t>& wanted) const {
    const auto in_words = [](const std::vector<std::size_t>& shape) {
      std::string out;
      for (const std::size_t extent : shape) out += (out.empty() ? "" : " x ") + std::to_string(extent);
      return out.empty() ? std::string("a scalar") : out;
    };
    const auto& shape = tensor(name).shape;
    require(shape == wanted, "tensor '", name, "' is ", in_words(shape), ", but must be ", in_words(wanted));
  }

 private:
  /// A file mapped for reading, or bytes that were given.
  class mapped_file {
   public:
    explicit mapped_file(const std::filesystem::path& path) {
      const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor < 0) throw format_error(path.string(), 0, 0, "cannot be opened, but must be a readable file");
      struct ::stat status {};
      const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
      if (regular && status.st_size > 0) {
        size_ = static_cast<std::size_t>(status.st_size);
        void* start = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (start != MAP_FAILED) map_ = start;
      }
      ::close(descriptor);
      if (!regular || (size_ != 0 && map_ == nullptr))
        throw format_error(path.string(), 0, 0, "cannot be mapped, but must be a readable file");
    }
    explicit mapped_file(std::vector<unsigned char> bytes) : size_(bytes.size()), held_(std::move(bytes)) {}
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;
    ~mapped_file() {
      if (map_ != nullptr) ::munmap(map_, size_);
    }

    std::span<const unsigned char> bytes() const noexcept {
      return {map_ != nullptr ? static_cast<const unsigned char*>(map_) : held_.data(), size_};
    }

   private:
    void* map_ = nullptr;
    std::size_t size_ = 0;
    std::vector<unsigned char> held_;
  };

  safetensors_file(std::string name, std::shared_ptr<const mapped_file> file)
      : name_(std::move(name)), file_(std::move(file)) {
    const auto bytes = file_->bytes();
    if (bytes.size() < 8) fail(detail::text("has ", bytes.size(), " bytes, but must have 8 of header length"));
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
    // The reference implementation refuses longer headers too.
    if (length > 100'000'000) fail(detail::text("byte 0: the header length is ", length, ", but must be at most 1e8"));
    if (length > bytes.size() - 8)
      fail(detail::text("byte 0: the header length is ", length, ", but the file has ", bytes.size() - 8,
                        " bytes after it"));
    const auto header = static_cast<std::size_t>(length);
    read_header({reinterpret_cast<const char*>(bytes.data()) + 8, header}, bytes.subspan(8 + header));
  }

  [[noreturn]] void fail(std::string_view what) const { throw format_error(name_, 0, 0, what); }

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (!condition) fail(detail::text(parts...));
  }

  void read_header(std::string_view header, std::span<const unsigned char> data) {
    std::set<std::string> names;
    std::string repeated;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& key) {
      if (event == nlohmann::json::parse_event_t::key && depth == 1 && !names.insert(key.get<std::string>()).second)
        repeated = key.get<std::string>();
      // The format is two levels deep; a header that is deeper is not worth its memory.
      if (depth > 3) throw format_error(name_, 0, 0, "the header is nested too deeply");
      return true;
    };
    nlohmann::json json;
    try {
      json = detail::parse_json(header, watch);
    } catch (const nlohmann::json::parse_error& error) {
      if (error.byte == 0) fail(detail::text("the header is not valid JSON: ", error.what()));
      fail(detail::text("byte ", 8 + error.byte, ": the header is not valid JSON"));
    }
    require(repeated.empty(), "tensor '", repeated, "' occurs twice, but names must be distinct");
    require(json.is_object(), "byte 8: the header must be a JSON object");
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (const auto& item : json.items()) {
      if (item.key() == "__metadata__") {
        const auto& about = item.value();
        require(about.is_object() &&
                    std::all_of(about.begin(), about.end(), [](const auto& value) { return value.is_string(); }),
                "__metadata__ must be an object of texts");
        continue;
      }
      const auto [begin, end] = read_entry(item.key(), item.value(), data);
      places.emplace_back(begin, end);
    }
    std::sort(places.begin(), places.end());
    std::size_t at = 0;
    for (const auto& [begin, end] : places) {
      require(begin >= at, "byte ", 8 + header.size() + begin, ": two tensors overlap, but must not");
      require(begin == at, "byte ", 8 + header.size() + at, ": ", begin - at, " bytes belong to no tensor");
      at = end;
    }
    require(at == data.size(), "byte ", 8 + header.size() + at, ": ", data.size() - at, " bytes belong to no tensor");
  }

  std::pair<std::size_t, std::size_t> read_entry(const std::string& name, const nlohmann::json& entry,
                                                 std::span<const unsigned char> data) {
    const auto whole = [](const nlohmann::json& v) { return v.is_number_unsigned(); };
    require(entry.is_object() && entry.contains("dtype") && entry.contains("shape") && entry.contains("data_offsets"),
            "tensor '", name, "' must have dtype, shape and data_offsets");
    const auto &type = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
    require(type.is_string(), "tensor '", name, "': dtype must be a text");
    require(shape.is_array() && std::all_of(shape.begin(), shape.end(), whole), "tensor '", name,
            "': shape must hold whole numbers");
    require(offsets.is_array() && offsets.size() == 2 && whole(offsets[0]) && whole(offsets[1]), "tensor '", name,
            "': data_offsets must be two whole numbers");
    tensor_view view;
    view.type = type.get<std::string>();
    const std::size_t bits = bits_of(view.type);
    require(bits != 0, "tensor '", name, "': dtype is '", view.type, "', which is unknown");
    std::size_t count = 1;
    for (const auto& extent : shape) {
      const auto value = extent.get<std::uint64_t>();
      require(value == 0 || count <= std::numeric_limits<std::size_t>::max() / 64 / value, "tensor '", name,
              "': the shape overflows");
      count *= static_cast<std::size_t>(value);
      view.shape.push_back(static_cast<std::size_t>(value));
    }
    require(count * bits % 8 == 0, "tensor '", name, "' has ", count, " values of ", bits,
            " bits, but they must fill whole bytes");
    count = count * bits / 8;
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    require(begin <= end && end <= data.size(), "tensor '", name, "': data_offsets are ", begin, " to ", end,
            ", but must be in order and within the ", data.size(), " bytes of data");
    require(end - begin == count, "tensor '", name, "' has ", end - begin, " bytes, but its shape needs ", count);
    view.bytes = data.subspan(static_cast<std::size_t>(begin), count);
    tensors_.emplace(name, std::move(view));
    return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
  }

  /// The types of safetensors 0.8.
  static std::size_t bits_of(std::string_view type) noexcept {
    if (type == "F64" || type == "I64" || type == "U64" || type == "C64") return 64;
    if (type == "F32" || type == "I32" || type == "U32") return 32;
    if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 16;
    if (type == "I8" || type == "U8" || type == "BOOL" || type.starts_with("F8_")) return 8;
    if (type == "F6_E2M3" || type == "F6_E3M2") return 6;
    if (type == "F4") return 4;
    return 0;
  }

  void widen(std::string_view name, const tensor_view& t, float* out) const {
    require(t.type == "F32" || t.type == "F16" || t.type == "BF16", "tensor '", name, "' holds ", t.type,
            ", but must hold F32, F16 or BF16");
    const std::size_t count = t.size();
    if (count == 0) return;
    if (t.type == "F32") {
      std::memcpy(out, t.bytes.data(), count * sizeof(float));
    } else {
      const auto convert = t.type == "F16" ? detail::half_to_float : detail::bfloat_to_float;
      for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t bits;  // the bytes need not be aligned
        std::memcpy(&bits, t.bytes.data() + 2 * i, 2);
        out[i] = convert(bits);
      }
    }
    const float* bad = std::find_if_not(out, out + count, [](float v) { return std::isfinite(v); });
    require(bad == out + count, "tensor '", name, "': value ", static_cast<std::size_t>(bad - out),
            " is not finite, but must be");
  }

  std::string name_;
  std::shared_ptr<const mapped_file> file_;
  std::map<std::string, tensor_view, std::less<>> tensors_;
};

}  // namespace uniroute
