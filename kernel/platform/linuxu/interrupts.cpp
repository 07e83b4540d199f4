// SPDX-License-Identifier: BSD-3-Clause
// Inter-processor interrupts, the timer's and those of the devices that helper threads of the process play.
#include "platform/linuxu/interrupts.hpp"

#include <array>
#include <atomic>
#include <bit>

#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "hal/cpu.hpp"
#include "hal/hooks.hpp"
#include "platform/linuxu/clock.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::platform {
namespace {

constinit hal::IpiHandler ipi_handlers[hal::kIpiKinds] = {};

void call_handler(hal::IpiKind kind) {
    if (auto const handler = ipi_handlers[static_cast<unsigned>(kind)]; handler != nullptr) handler(kind);
}

// The bits of a CPU's word from Interrupt::FirstDevice on.
constexpr u32 kFirstDevice = static_cast<u32>(arch::Interrupt::FirstDevice);
constexpr u32 kDeviceBits = ~u32{0} << kFirstDevice;

struct DeviceInterrupts {
    struct Entry {
        hal::InterruptHandler handler = nullptr;
        void* argument = nullptr;
    };
    std::atomic<u32> used{0};
    // By bit. An entry is written before its handle exists, and read after a raise: the bit in the CPU's word is set and
    // taken with seq_cst.
    std::array<Entry, 32> entries{};
};
PERCPU_SECTION constinit smp::PerCpu<DeviceInterrupts> device_interrupts;

void dispatch(arch::TrapFrame&, unsigned vector) {
    u32 const bit = vector - arch::kFirstInterruptVector;
    switch (static_cast<arch::Interrupt>(bit)) {
        case arch::Interrupt::Timer: return timer_interrupt();
        case arch::Interrupt::Reschedule: return call_handler(hal::IpiKind::Reschedule);
        case arch::Interrupt::Call: return call_handler(hal::IpiKind::Call);
        case arch::Interrupt::FirstDevice: break;
    }
    smp::AssumeIrqOff const here;
    DeviceInterrupts::Entry const& entry = device_interrupts.local(here).entries[bit];
    if (entry.handler != nullptr) entry.handler(entry.argument);
}

}  // namespace

void interrupts_init() { hal::hooks.interrupt = dispatch; }

void raise_interrupt(hal::InterruptHandle handle) {
    arch::post_interrupt(hal::percpu_area(handle.cpu),
                         static_cast<arch::Interrupt>(handle.vector - arch::kFirstInterruptVector));
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

Result<InterruptHandle> allocate_interrupt(CpuId target, InterruptHandler handler, void* argument) {
    DeviceInterrupts& of_cpu = device_interrupts.on(target);
    u32 used = of_cpu.used.load(std::memory_order_relaxed);
    u32 bit;
    do {
        u32 const free = ~used & kDeviceBits;
        if (free == 0) return fail(Error::Busy);
        bit = static_cast<u32>(std::countr_zero(free));
        // acquire: pairs with free_interrupt(), which has cleared the entry.
    } while (!of_cpu.used.compare_exchange_weak(used, used | 1u << bit, std::memory_order_acquire, std::memory_order_relaxed));
    of_cpu.entries[bit] = {handler, argument};
    return InterruptHandle{static_cast<u16>(arch::kFirstInterruptVector + bit), target};
}
void free_interrupt(InterruptHandle handle) {
    u32 const bit = handle.vector - arch::kFirstInterruptVector;
    DeviceInterrupts& of_cpu = device_interrupts.on(handle.cpu);
    of_cpu.entries[bit] = {};
    of_cpu.used.fetch_and(~(1u << bit), std::memory_order_release);
}
// Devices have neither messages nor lines here, but raise_interrupt().
bool has_interrupt_messages() { return false; }
Result<InterruptMessage> interrupt_message(InterruptHandle, MessageSource) { return fail(Error::NotSupported); }
Result<> route_line(InterruptLine, InterruptHandle) { return fail(Error::NotFound); }
void mask_line(u32) {}

void set_ipi_handler(IpiKind kind, IpiHandler handler) { ipi_handlers[static_cast<unsigned>(kind)] = handler; }

void send_ipi(CpuId target, IpiKind kind) {
    arch::post_interrupt(percpu_area(target),
                         kind == IpiKind::Reschedule ? arch::Interrupt::Reschedule : arch::Interrupt::Call);
}
void send_nmi(CpuId target) { arch::post_nmi(percpu_area(target)); }

}  // namespace tutti::hal
