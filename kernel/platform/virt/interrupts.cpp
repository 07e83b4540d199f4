// SPDX-License-Identifier: BSD-3-Clause
// Inter-processor interrupts and the timer's; those of devices are in device_interrupts.cpp.
#include "platform/virt/interrupts.hpp"

#include "arch/cpu.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "base/log.hpp"
#include "hal/console.hpp"
#include "hal/cpu.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "platform/virt/clock.hpp"
#include "platform/virt/device_interrupts.hpp"
#include "platform/virt/gic.hpp"

namespace tutti::platform {
namespace {

constinit GicOperations const* gic = nullptr;
constinit u32 timer = 0;
constinit hal::IpiHandler ipi_handlers[hal::kIpiKinds] = {};

ISR_SAFE void take_nmi(arch::TrapFrame& frame) {
    if (hal::hooks.nmi == nullptr || !hal::hooks.nmi(frame)) hal::early_console_write("unexpected non-maskable interrupt\n");
}

ISR_SAFE void non_maskable(arch::TrapFrame& frame) {
    ISR_NOTE("nmi", "FIQ, which the kernel never masks");
    if (gic->take_non_maskable()) take_nmi(frame);
}

ISR_SAFE void dispatch(arch::TrapFrame& frame, unsigned) {
    Acknowledged const interrupt = gic->acknowledge();
    u32 const number = interrupt.number;
    if (interrupt.is_spurious()) return;
    if (number >= kFirstSharedInterrupt) {
        // Ended last: a level goes away when its device has been served.
        device_interrupt(number);
        gic->end(interrupt);
        return;
    }
    // Ended first: all of these are edges, but for the timer's level, which timer_interrupt() takes away.
    gic->end(interrupt);
    if (number == timer) {
        timer_interrupt();
    } else if (number == kRescheduleInterrupt || number == kCallInterrupt) {
        auto const kind = static_cast<hal::IpiKind>(number);
        if (auto const handler = ipi_handlers[number]) handler(kind);
    } else if (number == kNonMaskableInterrupt) {
        take_nmi(frame);  // where it cannot be told from the others
    } else {
        log_warn("interrupt {} that nobody wanted", number);
    }
}
static_assert(static_cast<u32>(hal::IpiKind::Reschedule) == kRescheduleInterrupt);
static_assert(static_cast<u32>(hal::IpiKind::Call) == kCallInterrupt);

}  // namespace

void interrupts_init(DeviceTree const& tree, TreeDevices const& devices) {
    gic = tree.gic.version == 2 ? &kGicV2 : &kGicV3;
    timer = tree.timer_interrupt;
    gic->init(tree.gic);
    device_interrupts_init(*gic, devices);
    hal::hooks.interrupt = dispatch;
    arch::set_non_maskable_handler(non_maskable);
}

void interrupts_init_cpu() { gic->init_cpu(timer); }
void raise_line(u32 number) { gic->raise(number); }
u32 end_of_lines() { return gic->shared_end(); }

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

void set_ipi_handler(IpiKind kind, IpiHandler handler) { ipi_handlers[static_cast<unsigned>(kind)] = handler; }

ISR_SAFE void send_ipi(CpuId target, IpiKind kind) { gic->send(target, static_cast<u32>(kind)); }
ISR_SAFE void send_nmi(CpuId target) { gic->send(target, kNonMaskableInterrupt); }

}  // namespace tutti::hal
