// SPDX-License-Identifier: BSD-3-Clause
// File structures and flags whose layout or values are x86_64's own (linux/arch/x86/include/uapi/asm/stat.h and
// asm-generic/fcntl.h as x86 takes it).
#pragma once

#include "base/types.hpp"
#include "linux_abi/abi/time.hpp"

namespace tutti::linux_abi {

struct Stat {
    u64 device, inode, link_count;
    u32 mode, uid, gid, pad0;
    u64 rdev;
    i64 size, block_size, blocks;
    Timespec atime, mtime, ctime;
    i64 unused[3];
};
static_assert(sizeof(Stat) == 144);

struct [[gnu::packed]] EpollEvent { u32 events; u64 data; };
static_assert(sizeof(EpollEvent) == 12);

enum OpenFlag : u32 {
    kORdOnly = 0, kOWrOnly = 1, kORdWr = 2, kOAccMode = 3, kOCreat = 0100, kOExcl = 0200, kONoCtty = 0400,
    kOTrunc = 01000, kOAppend = 02000, kONonBlock = 04000, kODSync = 010000, kOAsync = 020000, kODirect = 040000,
    kOLargeFile = 0100000, kODirectory = 0200000, kONoFollow = 0400000, kONoAtime = 01000000, kOCloexec = 02000000,
    kOSync = 04010000, kOPath = 010000000, kOTmpFile = 020200000,
};

}  // namespace tutti::linux_abi
