// SPDX-License-Identifier: BSD-3-Clause
// Device interrupts: a handler bound to a vector on a chosen CPU, fed by an I/O APIC line or a message (MSI-X).
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::hal {

// Runs in Isr context on the CPU the interrupt was routed to. Must not block, fault or enable interrupts.
using InterruptHandler = void (*)(void* argument);

struct InterruptHandle {
    u8 vector = 0;
    CpuId cpu;
};

// What a device writes, where, to raise the interrupt (PCI MSI-X table entry).
struct InterruptMessage {
    u64 address;
    u32 data;
};

enum class TriggerMode : u8 { Edge, Level };

// Reserves a vector on `target`. Error::Busy when that CPU has no vector left, NotSupported when device interrupts cannot
// be sent to it.
[[nodiscard]] Result<InterruptHandle> allocate_interrupt(CpuId target, InterruptHandler handler, void* argument);
// After the device has been silenced: no later interrupt reaches the handler.
void free_interrupt(InterruptHandle handle);
[[nodiscard]] InterruptMessage interrupt_message(InterruptHandle handle);
// Routes a global system interrupt (I/O APIC input) to the handle, and unmasks it. Error::NotFound: no such input.
[[nodiscard]] Result<> route_line(u32 gsi, InterruptHandle handle, TriggerMode mode, bool active_low);
void mask_line(u32 gsi);

// Inter-processor interrupts. Handlers are registered once at boot and run in Isr context.
enum class IpiKind : u8 { Reschedule, Call };
inline constexpr unsigned kIpiKinds = 2;
// A type of its own, so that tools/isrcheck knows which functions these are.
using IpiHandler = void (*)(IpiKind);
void set_ipi_handler(IpiKind kind, IpiHandler handler);
void send_ipi(CpuId target, IpiKind kind);
// A non-maskable interrupt: the panic path's request to report and stop (hal::hooks.nmi).
void send_nmi(CpuId target);

}  // namespace tutti::hal
