// SPDX-License-Identifier: BSD-3-Clause
#include "arch/traps.hpp"

#include "arch/cpu.hpp"
#include "arch/crash_report.hpp"
#include "arch/user_access.hpp"
#include "base/assert.hpp"
#include "hal/console.hpp"
#include "hal/hooks.hpp"

extern "C" {
TUTTI_PERCPU tutti::u32 exit_work = 0;
TUTTI_PERCPU tutti::u64 overflow_stack_top = 0;
constinit tutti::u8 aarch64_has_lse = 0;  // read by atomics.S
extern char trap_vectors[];
}

namespace tutti::hal {
constinit Hooks hooks{};
}

namespace tutti::arch {

TUTTI_PERCPU u32 percpu_own_index = 0;
TUTTI_PERCPU TrapFrame const* fatal_frame_of_cpu = nullptr;

namespace {

constinit NonMaskableHandler non_maskable_handler = nullptr;

// The report is the panic's: one at a time, whatever fails on other CPUs meanwhile.
[[noreturn]] ISR_SAFE void fatal_exception(TrapFrame& frame) {
    disable_interrupts();
    percpu_store(fatal_frame_of_cpu, static_cast<TrapFrame const*>(&frame));
    char text[200];
    panic_formatted(describe_exception(text, frame), nullptr, 0);
}

ISR_SAFE void handle_exception(TrapFrame& frame) {
    if (u64 const fixup = frame.is_user() ? 0 : find_fixup(frame.elr); fixup != 0) {
        frame.elr = fixup;
        return;
    }
    fatal_exception(frame);
}

}  // namespace

extern "C" ISR_SAFE void trap_dispatch(TrapFrame* frame) {
    auto const kind = static_cast<TrapKind>(frame->kind);
    if (kind == TrapKind::NonMaskable) {
        if (non_maskable_handler == nullptr) fatal_exception(*frame);
        return non_maskable_handler(*frame);
    }
    enable_non_maskable();
    if (kind == TrapKind::Interrupt) {
        if (hal::hooks.interrupt == nullptr) fatal_exception(*frame);
        hal::hooks.interrupt(*frame, 0);  // which one it is, the interrupt controller knows
        if (!frame->is_user() && hal::hooks.irq_exit_to_kernel != nullptr && interrupts_were_enabled(IrqState{frame->spsr}))
            hal::hooks.irq_exit_to_kernel();
    } else if (kind == TrapKind::Synchronous) {
        handle_exception(*frame);
    } else {
        fatal_exception(*frame);
    }
}

void set_non_maskable_handler(NonMaskableHandler handler) { non_maskable_handler = handler; }

void traps_init() {
    aarch64_has_lse = (read_isar0() >> 20 & 0xf) >= 2;
    write_vbar(reinterpret_cast<u64>(trap_vectors));
    enable_non_maskable();
}

void traps_init_cpu(void* overflow_stack) {
    percpu_store(overflow_stack_top, reinterpret_cast<u64>(overflow_stack));
    write_vbar(reinterpret_cast<u64>(trap_vectors));
    enable_non_maskable();
}

}  // namespace tutti::arch
