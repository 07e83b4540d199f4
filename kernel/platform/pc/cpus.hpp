// SPDX-License-Identifier: BSD-3-Clause
// The CPUs that the firmware lists, their per-CPU areas, and the start of the secondary ones.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// While the tables are read: called for each usable CPU. Order decides the CpuId, the boot CPU first.
void add_cpu(u32 apic_id, u32 processor_id);
// Boot CPU: areas for all CPUs, this one's installed, its descriptor tables loaded.
void cpus_init();
[[nodiscard]] u32 apic_id_of(CpuId cpu);
// Of ACPI; on Xen the number of the virtual CPU.
[[nodiscard]] u32 processor_id_of(CpuId cpu);

}  // namespace tutti::platform
