// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "platform/virt/tree_devices.hpp"

namespace tutti::platform {

void interrupts_init(DeviceTree const& tree, TreeDevices const& devices);
void interrupts_init_cpu();
// For tests: shared interrupt `number` comes, as its device would have it.
void raise_line(u32 number);
[[nodiscard]] u32 end_of_lines();

}  // namespace tutti::platform
