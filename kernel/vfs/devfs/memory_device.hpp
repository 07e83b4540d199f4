// SPDX-License-Identifier: BSD-3-Clause
// /dev/null, zero, full, random and urandom (null(4), full(4), random(4)).
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

enum class MemoryDevice : u8 { Null, Zero, Full, Random };

Result<Ref<File>> open_memory_device(MemoryDevice device, Inode& inode, OpenFlags flags, String path);

// The same as a DeviceOpen.
template <MemoryDevice Device>
Result<Ref<File>> open_memory_device(Inode& inode, OpenFlags flags, String path) {
    return open_memory_device(Device, inode, flags, std::move(path));
}

}  // namespace tutti::vfs
