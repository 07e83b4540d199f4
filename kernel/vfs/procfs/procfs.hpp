// SPDX-License-Identifier: BSD-3-Clause
// /proc (proc(5)): processes as the source tells about them, and what the kernel knows about the machine.
#pragma once

#include "vfs/namespace.hpp"
#include "vfs/procfs/process_source.hpp"

namespace tutti::vfs {

// Mounts /proc; the directory is made if it is not there. `source` lives for ever. Boot, after start of all CPUs.
Result<> mount_procfs(Namespace& names, ProcessSource& source);

}  // namespace tutti::vfs
