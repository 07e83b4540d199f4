// SPDX-License-Identifier: BSD-3-Clause
#pragma once
// Writes a cpio archive in the "newc" format (cpio(5)), laid out so that the kernel can use file contents
// in place: the data of every file of a page or more starts at a multiple of the page size in the archive.
// newc has no padding field for that, but a name may be followed by any number of NULs, which c_namesize
// counts; so names carry the padding. GNU cpio and bsdtar read such archives.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "file_set.hpp"

namespace tutti::cli {

inline constexpr std::uint64_t kCpioPage = 4096;

class CpioWriter {
  public:
    // Writes to `fd` from its current position, which must be the archive's start.
    explicit CpioWriter(int fd) : fd_(fd) {}

    // One entry; `path` without a leading slash. Regular files from the host are copied as they are now: a
    // file that shrinks meanwhile is an error. Throws CliError.
    void add(std::string_view path, GuestEntry const& entry);
    // The trailer. Nothing may follow.
    void finish();

    [[nodiscard]] std::uint64_t size() const { return offset_; }

  private:
    void header(std::string_view path, GuestEntry const& entry, std::uint64_t size);
    void write(std::string_view bytes);
    void flush();
    void copy_file(GuestEntry const& entry);
    void pad_to_four();

    int fd_;
    std::uint64_t offset_ = 0;  // bytes given to write()
    std::uint32_t inode_ = 0;
    std::string buffer_;
};

}  // namespace tutti::cli
