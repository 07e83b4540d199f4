// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// A directory for one test, removed afterwards.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace tutti::cli {

class TestDirectory {
  public:
    TestDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tutti-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = std::filesystem::canonical(pattern).string();
    }
    ~TestDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestDirectory(TestDirectory const&) = delete;
    TestDirectory& operator=(TestDirectory const&) = delete;

    [[nodiscard]] std::string const& path() const { return path_; }
    // Both take a path relative to the directory; write() makes parents and returns the absolute path.
    std::string write(std::string const& name, std::string const& content, unsigned mode = 0644) const {
        std::string path = path_ + "/" + name;
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << content;
        std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
        return path;
    }
    [[nodiscard]] std::string read(std::string const& name) const {
        std::ifstream file(path_ + "/" + name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

  private:
    std::string path_;
};

}  // namespace tutti::cli
