// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

void interrupts_init(DeviceTree const& tree);
void interrupts_init_cpu();

}  // namespace tutti::platform
