// SPDX-License-Identifier: BSD-3-Clause
// /proc/sys: what sysctl(8) shows. Values that nothing here obeys are not there, or constants that say so.
#pragma once

#include "vfs/generated/generated_node.hpp"
#include "vfs/procfs/process_source.hpp"

namespace tutti::vfs {

Result<> add_system_control(GeneratedDirectory& root, ProcessSource& source);

}  // namespace tutti::vfs
