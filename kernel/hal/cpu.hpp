// SPDX-License-Identifier: BSD-3-Clause
// CPUs as the platform presents them: dense indices, start-up of the secondary ones.
#pragma once

#include "base/types.hpp"

namespace tutti::hal {

// CPUs found at boot; constant. One until the platform has read its tables.
[[nodiscard]] u32 cpu_count();

// Starts every secondary CPU at once and returns without waiting for them. Each runs entry() on a boot stack of its own
// with its per-CPU area, descriptor tables and local interrupt controller ready and interrupts off; entry() does not
// return. A CPU that never comes is the caller's to notice. Once, on the boot CPU; everything that entry() uses is ready.
void start_secondary_cpus(void (*entry)());

// True when a hypervisor runs this machine, so that a CPU may lose its processor at any moment.
[[nodiscard]] bool is_virtual_machine();

// The per-CPU area of a CPU (arch/percpu.hpp).
[[nodiscard]] void* percpu_area(CpuId cpu);

}  // namespace tutti::hal
