// SPDX-License-Identifier: BSD-3-Clause
// The CPUs that the firmware lists, their per-CPU areas, and the start of the secondary ones.
#pragma once

#include "base/types.hpp"

namespace tutti::platform {

// While the tables are read: called for each usable CPU. Order decides the CpuId, the boot CPU first.
void add_cpu(u32 apic_id);
// Boot CPU: areas for all CPUs, this one's installed, its descriptor tables loaded.
void cpus_init();
[[nodiscard]] u32 apic_id_of(CpuId cpu);

}  // namespace tutti::platform
