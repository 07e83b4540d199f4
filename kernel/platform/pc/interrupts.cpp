// SPDX-License-Identifier: BSD-3-Clause
#include "platform/pc/interrupts.hpp"

#include <atomic>

#include "arch/cpu.hpp"
#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/cpu.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "platform/pc/boot_memory.hpp"
#include "platform/pc/clock.hpp"
#include "platform/pc/cpus.hpp"
#include "platform/pc/local_apic.hpp"
#include "platform/xen/event_channels.hpp"
#include "platform/xen/xen.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::platform {
namespace {

constexpr u8 kFirstDeviceVector = 0x30;
constexpr u8 kLastDeviceVector = 0xee;

// A slot is free when handler is null. The argument is written before the handler (release) and read after it
// (acquire, in dispatch()), so an interrupt never sees a handler with another's argument.
struct Slot {
    std::atomic<hal::InterruptHandler> handler{nullptr};
    std::atomic<void*> argument{nullptr};
};
struct SlotTable {
    Slot slots[kLastDeviceVector - kFirstDeviceVector + 1];
};
TUTTI_PERCPU SlotTable slot_table{};

constinit hal::IpiHandler ipi_handlers[hal::kIpiKinds] = {};

Slot& slot_of(CpuId cpu, unsigned vector) {
    return arch::percpu_address_in(hal::percpu_area(cpu), slot_table)->slots[vector - kFirstDeviceVector];
}

struct IoApic {
    u32 volatile* registers;
    u32 first_gsi;
    u32 inputs;

    u32 read(u32 index) {
        registers[0] = index;
        return registers[4];
    }
    void write(u32 index, u32 value) {
        registers[0] = index;
        registers[4] = value;
    }
};

// Firmware tables hold at most a handful; more are reported and left out.
constexpr size_t kMaxIoApics = 16;
// Index and data registers are a pair; routes change when drivers come and go.
constinit smp::SpinLock io_apic_lock{smp::LockRank::InterruptController, "I/O APICs"};
constinit IoApic io_apics[kMaxIoApics]{};
constinit IoApicDescription descriptions[kMaxIoApics]{};
constinit size_t io_apic_count = 0;

struct IsaRoute {
    bool overridden = false;
    u32 gsi = 0;
    bool level = false;
    bool active_low = false;
};
constinit IsaRoute isa_routes[16]{};

constexpr u32 kRedirection = 0x10;
constexpr u32 kMasked = 1u << 16;
constexpr u32 kLevel = 1u << 15;
constexpr u32 kActiveLow = 1u << 13;

IoApic* io_apic_for(u32 gsi) {
    for (size_t i = 0; i < io_apic_count; ++i)
        if (gsi >= io_apics[i].first_gsi && gsi - io_apics[i].first_gsi < io_apics[i].inputs) return &io_apics[i];
    return nullptr;
}

void set_redirection(u32 gsi, u32 low, u32 apic_id) {
    IoApic* const io_apic = io_apic_for(gsi);
    if (io_apic == nullptr) return;
    smp::SpinIrqGuard const guard{io_apic_lock};
    u32 const index = kRedirection + 2 * (gsi - io_apic->first_gsi);
    io_apic->write(index, kMasked);
    io_apic->write(index + 1, apic_id << 24);
    io_apic->write(index, low);
}

ISR_SAFE void dispatch(arch::TrapFrame&, unsigned vector) {
    switch (vector) {
        case local_apic::kSpuriousVector: return;  // no end-of-interrupt for these (SDM vol. 3, 11.9)
        case local_apic::kTimerVector:
            local_apic::end_of_interrupt();
            timer_interrupt();
            return;
        case local_apic::kRescheduleVector:
        case local_apic::kCallVector: {
            local_apic::end_of_interrupt();
            unsigned const kind = vector - local_apic::kRescheduleVector;
            if (auto const handler = ipi_handlers[kind]) handler(static_cast<hal::IpiKind>(kind));
            return;
        }
        case local_apic::kEventVector:
            local_apic::end_of_interrupt();
            if (xen::present()) xen::take_events();
            return;
        case local_apic::kErrorVector:
            log_error("local APIC error interrupt");
            local_apic::end_of_interrupt();
            return;
        default: break;
    }
    if (vector >= kFirstDeviceVector && vector <= kLastDeviceVector) {
        Slot& slot = arch::percpu_address(slot_table)->slots[vector - kFirstDeviceVector];
        // Pairs with the release in allocate_interrupt().
        if (auto const handler = slot.handler.load(std::memory_order_acquire))
            handler(slot.argument.load(std::memory_order_relaxed));
        else
            log_warn("interrupt on unused vector {:#x}", vector);
    }
    local_apic::end_of_interrupt();
}

}  // namespace

void add_io_apic(IoApicDescription const& description) {
    if (io_apic_count == kMaxIoApics) {
        log_warn("more than {} I/O APICs; the rest is not used", kMaxIoApics);
        return;
    }
    descriptions[io_apic_count++] = description;
}

void add_isa_override(u8 irq, u32 gsi, bool level, bool active_low) {
    if (irq < 16) isa_routes[irq] = {true, gsi, level, active_low};
}

void interrupts_init() {
    arch::out8(0x21, 0xff);  // both 8259 controllers masked
    arch::out8(0xa1, 0xff);
    for (size_t i = 0; i < io_apic_count; ++i) {
        IoApic& io_apic = io_apics[i];
        io_apic.registers = static_cast<u32 volatile*>(boot_map_device(descriptions[i].address, kPageSize));
        io_apic.first_gsi = descriptions[i].first_gsi;
        io_apic.inputs = (io_apic.read(1) >> 16 & 0xff) + 1;
        for (u32 input = 0; input < io_apic.inputs; ++input) io_apic.write(kRedirection + 2 * input, kMasked);
    }
    hal::hooks.interrupt = dispatch;
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

Result<InterruptHandle> allocate_interrupt(CpuId target, InterruptHandler handler, void* argument) {
    CHECK(target.value() < cpu_count() && handler != nullptr);
    // Messages and I/O APIC entries have eight bits for it, unless an IOMMU remaps them.
    if (apic_id_of(target) > 0xff) return fail(Error::NotSupported);
    for (unsigned vector = kFirstDeviceVector; vector <= kLastDeviceVector; ++vector) {
        Slot& slot = slot_of(target, vector);
        // The argument claims the slot (a unique non-null marker), the handler opens it to interrupts.
        void* expected = nullptr;
        void* const claim = argument != nullptr ? argument : &slot;
        if (slot.handler.load(std::memory_order_relaxed) != nullptr) continue;
        if (!slot.argument.compare_exchange_strong(expected, claim, std::memory_order_relaxed)) continue;
        slot.handler.store(handler, std::memory_order_release);
        return InterruptHandle{static_cast<u16>(vector), target};
    }
    return fail(Error::Busy);
}

void free_interrupt(InterruptHandle handle) {
    Slot& slot = slot_of(handle.cpu, handle.vector);
    slot.handler.store(nullptr, std::memory_order_relaxed);
    // release: a new owner that claims the argument finds the handler gone.
    slot.argument.store(nullptr, std::memory_order_release);
}

bool has_interrupt_messages() { return true; }

Result<InterruptMessage> interrupt_message(InterruptHandle handle, MessageSource) {
    return InterruptMessage{.address = 0xfee00000 | (u64{apic_id_of(handle.cpu)} << 12), .data = handle.vector};
}

Result<> route_line(InterruptLine line, InterruptHandle handle) {
    auto [gsi, mode, active_low] = line;
    if (gsi < 16 && isa_routes[gsi].overridden) {
        IsaRoute const& route = isa_routes[gsi];
        gsi = route.gsi;
        if (route.level) mode = TriggerMode::Level;
        active_low = active_low || route.active_low;
    }
    if (io_apic_for(gsi) == nullptr) return fail(Error::NotFound);
    set_redirection(gsi, handle.vector | (mode == TriggerMode::Level ? kLevel : 0) | (active_low ? kActiveLow : 0),
                    apic_id_of(handle.cpu));
    return {};
}

void mask_line(u32 gsi) {
    if (gsi < 16 && isa_routes[gsi].overridden) gsi = isa_routes[gsi].gsi;
    set_redirection(gsi, kMasked, 0);
}

void set_ipi_handler(IpiKind kind, IpiHandler handler) { ipi_handlers[static_cast<unsigned>(kind)] = handler; }

ISR_SAFE void send_ipi(CpuId target, IpiKind kind) {
    auto const state = arch::disable_interrupts();
    local_apic::send_fixed(apic_id_of(target),
                           kind == IpiKind::Reschedule ? local_apic::kRescheduleVector : local_apic::kCallVector);
    arch::restore_interrupts(state);
}

ISR_SAFE void send_nmi(CpuId target) {
    auto const state = arch::disable_interrupts();
    local_apic::send_nmi(apic_id_of(target));
    arch::restore_interrupts(state);
}

}  // namespace tutti::hal
