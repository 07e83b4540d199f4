// SPDX-License-Identifier: BSD-3-Clause
// Device interrupts: a handler on a chosen CPU, fed by a line of the interrupt controller or by a message (MSI-X).
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::hal {

// Runs in Isr context on the CPU the interrupt was routed to. Must not block, fault or enable interrupts.
using InterruptHandler = void (*)(void* argument);

struct InterruptHandle {
    u16 vector = 0;  // the platform's number for it
    CpuId cpu;
};

// What a device writes, where, to raise the interrupt (PCI MSI-X table entry).
struct InterruptMessage {
    u64 address;
    u32 data;
};

// Who writes it: a PCI function, as bus, device and function in 8, 5 and 3 bits.
struct MessageSource {
    u16 segment;
    u16 requester;
};

enum class TriggerMode : u8 { Edge, Level };

// An input of the interrupt controller (global system interrupt: an I/O APIC's, a GIC's), and what its device does there.
struct InterruptLine {
    u32 gsi = 0;
    TriggerMode mode = TriggerMode::Level;
    bool active_low = false;
    friend bool operator==(InterruptLine const&, InterruptLine const&) = default;
};

// Reserves a handler's place on `target`. Error::Busy when there is none left, NotSupported when device interrupts cannot
// be sent to that CPU.
[[nodiscard]] Result<InterruptHandle> allocate_interrupt(CpuId target, InterruptHandler handler, void* argument);
// After the device has been silenced: no later interrupt reaches the handler.
void free_interrupt(InterruptHandle handle);
// True where devices can interrupt by messages.
[[nodiscard]] bool has_interrupt_messages();
// What `source` writes to raise this interrupt, once for each handle. Error::NotSupported, Busy when all are in use,
// NoMemory. Thread context.
[[nodiscard]] Result<InterruptMessage> interrupt_message(InterruptHandle handle, MessageSource source);
// Routes a line to the handle, and unmasks it. Error::NotFound: no such input. A line has one handle.
[[nodiscard]] Result<> route_line(InterruptLine line, InterruptHandle handle);
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
