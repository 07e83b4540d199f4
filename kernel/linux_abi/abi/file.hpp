// SPDX-License-Identifier: BSD-3-Clause
// File structures and constants of the Linux ABI that are the same on every 64-bit architecture we run on.
// (What differs: machine/file_structures.hpp.)
#pragma once

#include "base/types.hpp"

namespace tutti::linux_abi {

inline constexpr i32 kAtFdCwd = -100;
enum AtFlag : u32 {
    kAtSymlinkNoFollow = 0x100, kAtRemoveDir = 0x200, kAtEaccess = 0x200, kAtSymlinkFollow = 0x400,
    kAtNoAutomount = 0x800, kAtEmptyPath = 0x1000, kAtStatxSyncType = 0x6000,
};

enum FcntlCommand : i32 {
    kFDupFd = 0, kFGetFd = 1, kFSetFd = 2, kFGetFl = 3, kFSetFl = 4, kFGetLk = 5, kFSetLk = 6, kFSetLkW = 7,
    kFSetOwn = 8, kFGetOwn = 9, kFSetSig = 10, kFGetSig = 11, kFSetOwnEx = 15, kFGetOwnEx = 16,
    kFOfdGetLk = 36, kFOfdSetLk = 37, kFOfdSetLkW = 38, kFSetLease = 1024, kFGetLease = 1025,
    kFDupFdCloexec = 1030, kFSetPipeSize = 1031, kFGetPipeSize = 1032, kFAddSeals = 1033, kFGetSeals = 1034,
};
inline constexpr i32 kFdCloexec = 1;

struct IoVec { u64 base; u64 length; };
inline constexpr u64 kIovMax = 1024;
inline constexpr u64 kMaxRwCount = 0x7fff'f000;  // the most that one read or write moves

struct Flock {
    i16 type;
    i16 whence;
    i32 pad0;
    i64 start;
    i64 length;
    i32 pid;
    i32 pad1;
};
static_assert(sizeof(Flock) == 32);
enum FlockType : i16 { kFRdLck = 0, kFWrLck = 1, kFUnlck = 2 };

struct StatxTimestamp { i64 sec; u32 nsec; i32 pad; };
struct Statx {
    u32 mask, block_size;
    u64 attributes;
    u32 link_count, uid, gid;
    u16 mode, pad0;
    u64 inode, size, blocks, attributes_mask;
    StatxTimestamp atime, btime, ctime, mtime;
    u32 rdev_major, rdev_minor, dev_major, dev_minor;
    u64 mount_id;
    u32 dio_mem_align, dio_offset_align;
    u64 spare[12];
};
static_assert(sizeof(Statx) == 256);
inline constexpr u32 kStatxBasicStats = 0x7ff;
inline constexpr u32 kStatxReserved = 0x8000'0000;

struct Statfs {
    i64 type, block_size;
    u64 blocks, blocks_free, blocks_available, files, files_free;
    i32 fsid[2];
    i64 name_length, fragment_size, flags;
    i64 spare[4];
};
static_assert(sizeof(Statfs) == 120);

// The fixed part of struct linux_dirent64; the name and its NUL follow at once.
struct [[gnu::packed]] Dirent64Header {
    u64 inode;
    i64 offset;
    u16 record_length;
    u8 type;
};
static_assert(sizeof(Dirent64Header) == 19);

struct OpenHow { u64 flags, mode, resolve; };

struct PollFd { i32 fd; i16 events; i16 revents; };

inline constexpr i64 kUtimeNow = 0x3fff'ffff;
inline constexpr i64 kUtimeOmit = 0x3fff'fffe;

}  // namespace tutti::linux_abi
