#pragma once

// A directory that is there when all of it is written, or not at all.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>

namespace uniroute {

/// Makes a directory beside `target` and puts it in its place only when all is written; else takes it away again.
/// Directories beside the target get names that nothing has yet, so that nobody's files are in the way.
class staged_directory {
 public:
  /// `marker` is a file that tells a directory of the same kind, which may be replaced. Throws std::invalid_argument,
  /// naming `function`, for a target that is something else, std::filesystem::filesystem_error where nothing can be
  /// made beside it.
  staged_directory(std::string_view function, const std::filesystem::path& target, std::string_view marker)
      : target_(target.has_filename() ? target : target.parent_path()) {
    // A link stands for what it points to, which is what is replaced.
    if (std::filesystem::is_symlink(target_)) {
      detail::require(std::filesystem::exists(target_), function, ": '", target_.string(), "' is a link to '",
                      std::filesystem::read_symlink(target_).string(), "', which is not there, but must be");
      target_ = std::filesystem::canonical(target_);
    }
    const bool replaceable = !std::filesystem::exists(target_) || std::filesystem::exists(target_ / marker) ||
                             (std::filesystem::is_directory(target_) && std::filesystem::is_empty(target_));
    detail::require(replaceable, function, ": '", target_.string(), "' exists and has no ", marker,
                    ", but must be new, empty or of the same kind (it would be replaced)");
    if (target_.has_parent_path()) std::filesystem::create_directories(target_.parent_path());
    staged_ = fresh_directory(".partial");
  }
  staged_directory(const staged_directory&) = delete;
  staged_directory& operator=(const staged_directory&) = delete;
  ~staged_directory() {
    std::error_code ignored;
    if (!done_) std::filesystem::remove_all(staged_, ignored);
  }

  /// Where files are written until `commit`.
  const std::filesystem::path& path() const noexcept { return staged_; }

  /// Writes one file. Throws format_error where that fails.
  void write(std::string_view file, std::string_view content) const {
    std::ofstream out(staged_ / file, std::ios::binary);
    out << content;
    if (!out.flush()) throw format_error((staged_ / file).string(), 0, 0, "cannot be written");
  }

  /// Puts the directory in its place; what stood there is gone then, and not before. Throws
  /// std::filesystem::filesystem_error, and then what stood there stands there still.
  void commit() {
    if (!std::filesystem::exists(target_)) {
      std::filesystem::rename(staged_, target_);
      done_ = true;
      return;
    }
    const std::filesystem::path aside = fresh_directory(".replaced"), old = aside / "old";
    std::filesystem::rename(target_, old);
    std::error_code error;
    std::filesystem::rename(staged_, target_, error);
    done_ = !error;
    if (error) std::filesystem::rename(old, target_);
    std::filesystem::remove_all(aside);
    if (error) throw std::filesystem::filesystem_error("cannot be put in place", staged_, target_, error);
  }

 private:
  std::filesystem::path fresh_directory(std::string_view ending) const {
    for (std::size_t i = 0;; ++i) {
      std::filesystem::path path = target_.string() + detail::text(ending, "-", i);
      if (std::filesystem::create_directory(path)) return path;
    }
  }

  std::filesystem::path target_, staged_;
  bool done_ = false;
};

}  // namespace uniroute
