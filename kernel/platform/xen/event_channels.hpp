// SPDX-License-Identifier: BSD-3-Clause
// Event channels of the two-level kind: a port is a bit, bound to one CPU, which takes it in an interrupt of its own. x86_64
// only: a domain on Arm64 has nothing yet that needs one.
#pragma once

#include "base/result.hpp"
#include "hal/interrupts.hpp"

namespace tutti::platform::xen {

enum class Virq : u32 { Timer = 0, Console = 2 };

// Boot CPU, while boot allocations last.
void event_channels_init();
// Each CPU, its local APIC ready: `vcpu` is its number in Xen. From here on events come as interrupt `vector`.
void event_channels_init_cpu(u32 vcpu, u8 vector);
// The interrupt's handler: Isr context.
void take_events();

// The handler runs in Isr context on `cpu`. Error::Busy: Xen gives no port, or that one is taken already (a CPU has each
// virtual interrupt once).
[[nodiscard]] Result<u32> bind_virq(Virq virq, CpuId cpu, hal::InterruptHandler handler, void* argument);
[[nodiscard]] Result<u32> bind_ipi(CpuId cpu, hal::InterruptHandler handler, void* argument);
// Raises a port of bind_ipi(). Events that nobody has taken yet are one. Any context.
void notify(u32 port);
// No handler starts after this; one may still run.
void close_port(u32 port);

}  // namespace tutti::platform::xen
