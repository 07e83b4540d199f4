// SPDX-License-Identifier: BSD-3-Clause
// /sys/devices/system/cpu: which CPUs there are, their topology and caches.
#pragma once

#include "vfs/generated/generated_node.hpp"

namespace tutti::vfs {

Result<> add_cpu_directories(GeneratedDirectory& root);

// "0-3" and "f", with a line end; the argument is ignored.
Result<> generate_online_cpus(u64, String& text);
Result<> generate_online_cpu_mask(u64, String& text);

}  // namespace tutti::vfs
