// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

// The boot CPU. `entry_counter` is time zero.
void clock_init(DeviceTree const& tree, u64 entry_counter);
// The virtual timer's interrupt, Isr context.
void timer_interrupt();

}  // namespace tutti::platform
