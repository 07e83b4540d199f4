// SPDX-License-Identifier: BSD-3-Clause
// Interrupts of devices: who handles which, and messages that become interrupts (GICv2m frames).
#pragma once

#include "platform/virt/gic.hpp"
#include "platform/virt/tree_devices.hpp"

namespace tutti::platform {

void device_interrupts_init(GicOperations const& gic, TreeDevices const& devices);
// Calls the handler; of interrupts that were acknowledged.
void device_interrupt(u32 number);

}  // namespace tutti::platform
