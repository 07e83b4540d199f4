// SPDX-License-Identifier: BSD-3-Clause
// Devices by number: what a device node's open leads to.
#pragma once

#include "vfs/file.hpp"

namespace tutti::vfs {

// Makes the open file of a device. Thread context.
using DeviceOpen = Result<Ref<File>> (*)(Inode& inode, OpenFlags flags, String path);

// At boot only; `open` stays for ever. Error::Exists, NoSpace.
Result<> register_character_device(DeviceNumber number, DeviceOpen open);
// Error::NoDeviceAddress when nothing is registered for the number.
Result<Ref<File>> open_device(Inode& inode, FileType type, DeviceNumber number, OpenFlags flags, String path);

}  // namespace tutti::vfs
