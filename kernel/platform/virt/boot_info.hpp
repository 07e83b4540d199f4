// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/types.hpp"
#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

// Copies what hal::boot_info() shows. After boot_memory_init().
void boot_info_init(DeviceTree const& tree);
void add_reserved(PhysRange range);

}  // namespace tutti::platform
