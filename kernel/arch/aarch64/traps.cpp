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
constinit tutti::u8 aarch64_has_pan = 0;  // read by user_access.S
constinit tutti::arch::SyscallHandler syscall_handler = nullptr;
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

// Of a program, or of a copy function with interrupts on: blocks until the page is there.
NOINLINE bool resolve_page_fault(TrapFrame& frame, hal::FaultAccess access) {
    ISR_NOTE("thread-rung", "what faulted had interrupts on: a program, or a thread that copies to or from one");
    enable_interrupts();
    bool const resolved = hal::hooks.page_fault(frame, VirtAddr{fault_address(frame)}, access);
    disable_interrupts();
    return resolved;
}

NOINLINE void tell_program(TrapFrame& frame) {
    ISR_NOTE("thread-rung", "an exception of a program is dealt with like a system call of it");
    enable_interrupts();
    hal::hooks.user_exception(frame, static_cast<unsigned>(exception_class(frame)),
                              VirtAddr{is_page_fault(frame) ? fault_address(frame) : frame.elr});
    disable_interrupts();
}

NOINLINE void system_call(TrapFrame& frame) {
    ISR_NOTE("thread-rung", "a program's system call");
    enable_interrupts();
    syscall_handler(frame);
    disable_interrupts();
}

ISR_SAFE void handle_exception(TrapFrame& frame) {
    if (frame.is_syscall() && syscall_handler != nullptr) return system_call(frame);
    if (is_page_fault(frame) && fault_address(frame) >> 48 == 0 && hal::hooks.page_fault != nullptr) {
        // Translation, access flag and permission; not the failures that no mapping would help.
        bool const about_mapping = (frame.esr & 0x3f) < 0x10;
        // The kernel touches user addresses only in the functions of user_access.S, whose instructions are all in the
        // exception table; anything else is a bug of ours and must not be papered over by mapping a page. Contexts with
        // interrupts off may not block: their accesses fail over to the fix-up and are retried outside.
        bool const may_resolve = frame.is_user() || (find_fixup(frame.elr) != 0 && interrupts_were_enabled(IrqState{frame.spsr}));
        if (about_mapping && may_resolve && resolve_page_fault(frame, fault_access(frame))) return;
    }
    if (frame.is_user()) {
        if (hal::hooks.user_exception == nullptr) fatal_exception(frame);
        return tell_program(frame);
    }
    if (u64 const fixup = find_fixup(frame.elr); fixup != 0) {
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
    // A fault in the handler of the non-maskable interrupt: another one waits for its end.
    constexpr u64 kNonMaskableMasked = 1 << 6;  // SPSR.F
    if ((frame->spsr & kNonMaskableMasked) == 0) enable_non_maskable();
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

extern "C" ISR_SAFE void exit_to_user_work(TrapFrame* frame) {
    ISR_NOTE("interrupt-end", "on the way back to a program: the interrupt handler, if there was one, has returned");
    while (percpu_load(exit_work) != 0) {
        CHECK(hal::hooks.exit_to_user != nullptr, "exit work without a handler");
        hal::hooks.exit_to_user(*frame);
    }
}

void set_syscall_handler(SyscallHandler handler) { syscall_handler = handler; }
void set_non_maskable_handler(NonMaskableHandler handler) { non_maskable_handler = handler; }

void traps_init() {
    aarch64_has_lse = (read_isar0() >> 20 & 0xf) >= 2;
    aarch64_has_pan = has_pan();
    write_vbar(reinterpret_cast<u64>(trap_vectors));
    enable_non_maskable();
}

void traps_init_cpu(void* overflow_stack) {
    percpu_store(overflow_stack_top, reinterpret_cast<u64>(overflow_stack));
    write_vbar(reinterpret_cast<u64>(trap_vectors));
    give_counter_to_programs();
    if (aarch64_has_pan != 0) {
        constexpr u64 kSpan = 1 << 23;  // clear: exceptions set PAN
        write_sctlr(read_sctlr() & ~kSpan);
        set_pan();
    }
    enable_non_maskable();
}

}  // namespace tutti::arch
