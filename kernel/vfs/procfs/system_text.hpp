// SPDX-License-Identifier: BSD-3-Clause
// The entries of /proc about the whole machine: meminfo, stat, uptime, cpuinfo and the like (proc(5)).
#pragma once

#include "vfs/generated/generated_node.hpp"
#include "vfs/procfs/process_source.hpp"

namespace tutti::vfs {

Result<> add_system_texts(GeneratedDirectory& root, ProcessSource& source);

}  // namespace tutti::vfs
