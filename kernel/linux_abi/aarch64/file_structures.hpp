// SPDX-License-Identifier: BSD-3-Clause
// File structures and flags whose layout or values are aarch64's own (linux/include/uapi/asm-generic/stat.h and
// linux/arch/arm64/include/uapi/asm/fcntl.h).
#pragma once

#include "base/types.hpp"
#include "linux_abi/abi/time.hpp"

namespace tutti::linux_abi {

struct Stat {
    u64 device, inode;
    u32 mode, link_count, uid, gid;
    u64 rdev, pad0;
    i64 size;
    i32 block_size, pad1;
    i64 blocks;
    Timespec atime, mtime, ctime;
    u32 unused[2];
};
static_assert(sizeof(Stat) == 128);

struct EpollEvent {
    u32 events;
    u32 pad0 = 0;
    u64 data;
};
static_assert(sizeof(EpollEvent) == 16);

enum OpenFlag : u32 {
    kORdOnly = 0, kOWrOnly = 1, kORdWr = 2, kOAccMode = 3, kOCreat = 0100, kOExcl = 0200, kONoCtty = 0400,
    kOTrunc = 01000, kOAppend = 02000, kONonBlock = 04000, kODSync = 010000, kOAsync = 020000, kODirectory = 040000,
    kONoFollow = 0100000, kODirect = 0200000, kOLargeFile = 0400000, kONoAtime = 01000000, kOCloexec = 02000000,
    kOSync = 04010000, kOPath = 010000000, kOTmpFile = 020040000,
};

}  // namespace tutti::linux_abi
