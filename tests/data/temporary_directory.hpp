#pragma once

// A directory of a test's own, gone when the test is over.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace uniroute_tests {

class temporary_directory {
 public:
  temporary_directory() {
    const auto stamp = std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
    for (int i = 0; path_.empty(); ++i) {
      const auto path = std::filesystem::temp_directory_path() / ("uniroute-" + stamp + "-" + std::to_string(i));
      if (std::filesystem::create_directory(path)) path_ = path;
    }
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }

  std::filesystem::path write(std::string_view file, std::string_view content) const {
    std::ofstream(path_ / file, std::ios::binary) << content;
    return path_ / file;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace uniroute_tests
