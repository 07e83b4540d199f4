// SPDX-License-Identifier: BSD-3-Clause
// /proc/PID/fd and /proc/PID/fdinfo: the open files of a process.
#pragma once

#include "vfs/generated/generated_node.hpp"
#include "vfs/procfs/process_source.hpp"

namespace tutti::vfs {

enum class DescriptorView : u8 { Files, Information };

Result<Ref<Inode>> make_descriptor_directory(GeneratedDirectory& parent, std::string_view name, ProcessSource& source,
                                             i32 process, DescriptorView view);

}  // namespace tutti::vfs
