// SPDX-License-Identifier: BSD-3-Clause
// /sys (sysfs(5)): what programs look up about CPUs, their caches and memory nodes.
#pragma once

#include "vfs/namespace.hpp"

namespace tutti::vfs {

// Mounts /sys; the directory is made if it is not there. Boot, after mount_procfs().
Result<> mount_sysfs(Namespace& names);

}  // namespace tutti::vfs
