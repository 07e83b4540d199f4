// SPDX-License-Identifier: BSD-3-Clause
// An open directory.
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

// For directories of every filesystem: lists "." and ".." itself, then asks the inode. Error::NoMemory.
Result<Ref<File>> open_directory(Inode& directory, OpenFlags flags, String path);

}  // namespace tutti::vfs
