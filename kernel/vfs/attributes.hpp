// SPDX-License-Identifier: BSD-3-Clause
// What is known about a file apart from its data.
#pragma once

#include <optional>

#include "base/types.hpp"

namespace tutti::vfs {

// Values as in the upper bits of st_mode, shifted down by 12: every Unix filesystem stores them so.
enum class FileType : u8 {
    Fifo = 1,
    CharacterDevice = 2,
    Directory = 4,
    BlockDevice = 6,
    Regular = 8,
    Symlink = 10,
    Socket = 12,
    Unknown = 0,
};

inline constexpr u32 kPermissionMask = 07777;

struct DeviceNumber {
    u32 major = 0;
    u32 minor = 0;
    friend bool operator==(DeviceNumber, DeviceNumber) = default;
};

struct Attributes {
    u64 filesystem = 0;  // st_dev
    u64 inode = 0;
    FileType type = FileType::Regular;
    u32 permissions = 0;  // within kPermissionMask
    u32 link_count = 1;
    u32 uid = 0;
    u32 gid = 0;
    DeviceNumber device;  // of a device node
    u64 size = 0;         // bytes
    u64 allocated = 0;    // bytes that take up space
    u32 block_size = kPageSize;
    // Wall clock, since 1970.
    Nanoseconds access_time, modify_time, change_time, birth_time;
};

// Only what is set is changed; change_time always follows.
struct AttributeChange {
    std::optional<u32> permissions;
    std::optional<u32> uid;
    std::optional<u32> gid;
    std::optional<Nanoseconds> access_time;
    std::optional<Nanoseconds> modify_time;
};

struct FilesystemStatistics {
    u64 magic = 0;  // f_type
    u64 block_size = kPageSize;
    u64 blocks = 0;
    u64 free_blocks = 0;
    u64 inodes = 0;
    u64 free_inodes = 0;
    u32 name_limit = 255;
};

}  // namespace tutti::vfs
