// SPDX-License-Identifier: BSD-3-Clause
// Power State Coordination Interface (Arm DEN 0022): starting CPUs, ending the machine.
#pragma once

#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

void psci_init(PsciConduit conduit);
// 0, or the interface's error. The CPU starts at `entry` with its MMU off and x0 = context.
[[nodiscard]] i64 psci_start_cpu(u64 affinity, PhysAddr entry, u64 context);

}  // namespace tutti::platform
