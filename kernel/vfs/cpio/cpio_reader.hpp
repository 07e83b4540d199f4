// SPDX-License-Identifier: BSD-3-Clause
// Reads a cpio archive in the "newc" format (cpio(5); linux/Documentation/driver-api/early-userspace/
// buffer-format.rst). Portable and without allocation; trusts nothing in the archive.
//
// An entry: 110 bytes of header, all numbers as 8 hexadecimal digits; the name with at least one NUL (more are padding:
// `tutti run` uses them to place file data on page boundaries), padded to 4 bytes; the data, padded to 4 bytes. The last
// entry is called "TRAILER!!!".
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::vfs {

struct CpioEntry {
    std::string_view name;     // as it stands in the archive, without NULs; not empty
    std::span<u8 const> data;  // file contents, or a symbolic link's target
    u32 mode = 0;              // st_mode: type and permissions
    u32 inode = 0;             // equal numbers with link_count > 1 are one file
    u32 link_count = 1;
    u32 uid = 0;
    u32 gid = 0;
    u32 modify_time = 0;       // seconds since 1970
    u32 device_major = 0;      // of a device node
    u32 device_minor = 0;
};

class CpioReader {
  public:
    explicit CpioReader(std::span<u8 const> archive) : archive_{archive} {}

    // The next entry; nothing after the trailer, or at the end of an archive without one. Error::BadFormat for
    // anything that is not newc, is cut off, or lies about its sizes; nothing can be read after that.
    [[nodiscard]] Result<std::optional<CpioEntry>> next();

    // Bytes consumed so far.
    [[nodiscard]] size_t position() const { return position_; }

  private:
    std::span<u8 const> archive_;
    size_t position_ = 0;
    bool ended_ = false;
};

}  // namespace tutti::vfs
