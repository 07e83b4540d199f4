// SPDX-License-Identifier: BSD-3-Clause
// Tells /proc about the processes of this layer.
#pragma once

#include "vfs/procfs/process_source.hpp"

namespace tutti::linux_abi {

// For vfs::mount_procfs. Knows the process of the thread that asks: the one that runs in this machine.
[[nodiscard]] vfs::ProcessSource& process_source();

}  // namespace tutti::linux_abi
