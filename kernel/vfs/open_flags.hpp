// SPDX-License-Identifier: BSD-3-Clause
// How a file is open. linux_abi translates O_* to this.
#pragma once

#include "base/types.hpp"

namespace tutti::vfs {

class OpenFlags {
  public:
    enum Flag : u32 {
        Read = 1,
        Write = 2,
        Append = 4,
        NonBlock = 8,
        Direct = 16,      // accepted; there is no device to be direct to
        Sync = 32,
        DataSync = 64,
        NoAccessTime = 128,
        PathOnly = 256,   // names a file without opening it (O_PATH)
        Async = 512,      // accepted; no SIGIO is sent
        Directory = 1024, // must be one
        Truncate = 2048,  // at open only
    };
    // What fcntl(F_SETFL) may change on an open file.
    static constexpr u32 kChangeable = Append | NonBlock | Direct | NoAccessTime | Async;

    constexpr OpenFlags() = default;
    constexpr OpenFlags(u32 bits) : bits_{bits} {}
    [[nodiscard]] constexpr bool has(Flag flag) const { return (bits_ & flag) != 0; }
    [[nodiscard]] constexpr u32 bits() const { return bits_; }

  private:
    u32 bits_ = 0;
};

}  // namespace tutti::vfs
