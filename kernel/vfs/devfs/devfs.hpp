// SPDX-License-Identifier: BSD-3-Clause
// /dev: a memory filesystem with the nodes that programs expect, and the devices behind them.
#pragma once

#include "vfs/namespace.hpp"

namespace tutti::vfs {

// Registers the devices and mounts /dev (with /dev/shm). The directory is made if it is not there. Boot.
Result<> mount_devfs(Namespace& names);

}  // namespace tutti::vfs
