// SPDX-License-Identifier: BSD-3-Clause
// Block devices: files of the host.
#pragma once

#include "platform/linuxu/options.hpp"

namespace tutti::platform {

// Opens a file, or a block device of the host. Complains and ends the process when it cannot be a disk. Before boot.
void open_disk(DiskOption const& disk);
// Starts the driver of the disks that were opened.
void start_disks();

}  // namespace tutti::platform
