// SPDX-License-Identifier: BSD-3-Clause
// Inter-processor interrupts, the timer's and the host link's.
#include "platform/linuxu/interrupts.hpp"

#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "hal/cpu.hpp"
#include "hal/hooks.hpp"
#include "hal/interrupts.hpp"
#include "platform/linuxu/clock.hpp"

namespace tutti::platform {
namespace {

constinit hal::IpiHandler ipi_handlers[hal::kIpiKinds] = {};
constinit void (*host_link_handler)() = nullptr;

void call_handler(hal::IpiKind kind) {
    if (auto const handler = ipi_handlers[static_cast<unsigned>(kind)]; handler != nullptr) handler(kind);
}

void dispatch(arch::TrapFrame&, unsigned vector) {
    switch (static_cast<arch::Interrupt>(vector - arch::kFirstInterruptVector)) {
        case arch::Interrupt::Timer: timer_interrupt(); break;
        case arch::Interrupt::Reschedule: call_handler(hal::IpiKind::Reschedule); break;
        case arch::Interrupt::Call: call_handler(hal::IpiKind::Call); break;
        case arch::Interrupt::HostLink: host_link_handler(); break;
    }
}

}  // namespace

void set_host_link_handler(void (*handler)()) { host_link_handler = handler; }

void interrupts_init() { hal::hooks.interrupt = dispatch; }

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

Result<InterruptHandle> allocate_interrupt(CpuId, InterruptHandler, void*) { return fail(Error::NotSupported); }
void free_interrupt(InterruptHandle) { panic("no device interrupt was allocated"); }
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
