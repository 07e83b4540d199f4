// SPDX-License-Identifier: BSD-3-Clause
// Upward calls out of the trap code: higher layers register what to do; nothing here includes them.
// Each hook is set once during boot, before the first event that can reach it, and never changes.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {
struct TrapFrame;
}

namespace tutti::hal {

struct FaultAccess {
    bool write = false;
    bool execute = false;
    bool user = false;     // the faulting code ran in user mode
    bool present = false;  // a translation existed and forbade the access
};

struct Hooks {
    // A page fault on a user-half address (from a program, or from the kernel's user copy functions). True: resolved,
    // retry. Called with the interrupt state of the faulting context; may block if that context may.
    bool (*page_fault)(arch::TrapFrame&, VirtAddr address, FaultAccess) = nullptr;
    // A system call; interrupts on, Thread context.
    // (The entry code calls arch::syscall_handler directly; set_syscall_handler() sets it.)
    // A fault of a program that nothing resolved: becomes a signal. Interrupts on, Thread context.
    // For a page fault `address` is the faulting address, otherwise the instruction's.
    void (*user_exception)(arch::TrapFrame&, unsigned vector, VirtAddr address) = nullptr;
    // End of an interrupt that hit kernel code: interrupts off. Preempts if that is allowed and wanted.
    void (*irq_exit_to_kernel)() = nullptr;
    // Work wanted before a return to user mode (arch::exit_work is set). Entered and left with interrupts off; returns
    // when nothing is left to do.
    void (*exit_to_user)(arch::TrapFrame&) = nullptr;
    // A device, timer or inter-processor interrupt: Isr context.
    void (*interrupt)(arch::TrapFrame&, unsigned vector) = nullptr;
    // Non-maskable interrupt. True: handled (the stop request of a panic).
    bool (*nmi)(arch::TrapFrame&) = nullptr;
    // True for an address in the guard page of a kernel stack. Any context, also in a double fault.
    bool (*is_stack_guard)(VirtAddr) = nullptr;
    // Writes "thread NAME" or the like into a crash report.
    void (*describe_context)() = nullptr;
};
extern Hooks hooks;

}  // namespace tutti::hal
