// SPDX-License-Identifier: BSD-3-Clause
// The exception vectors and what the entry code shares with C++.
#pragma once

#include "arch/aarch64/syndrome.hpp"
#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

extern "C" {
extern tutti::u32 exit_work;                // per-CPU: non-zero: call hal::hooks.exit_to_user before returning to user mode
extern tutti::u64 overflow_stack_top;       // per-CPU: stack on which the overflow of another is reported
}

namespace tutti::arch {

// The vectors of this CPU, after percpu_install(). `overflow_stack` is the top of a stack for reports.
void traps_init_cpu(void* overflow_stack);
// On the boot CPU before it has a per-CPU area: exceptions are reported already.
void traps_init();

// Takes the interrupt that cannot be masked: FIQ. Acknowledges it, then calls hal::hooks.nmi. Set once, by the platform.
using NonMaskableHandler = void (*)(TrapFrame&);
void set_non_maskable_handler(NonMaskableHandler handler);

using SyscallHandler = void (*)(TrapFrame&);
void set_syscall_handler(SyscallHandler handler);

// Enters user mode with the registers in `frame`, which the caller has placed at the top of the current kernel stack.
// Interrupts off.
extern "C" [[noreturn]] void enter_user_frame(TrapFrame* frame);

// What belongs to a program's thread beside TrapFrame and floating-point state.
struct UserRegisters {
    u64 thread_pointer = 0;  // programs change it themselves

    ALWAYS_INLINE void save() { thread_pointer = read_user_thread_pointer(); }
    ALWAYS_INLINE void load() const { write_user_thread_pointer(thread_pointer); }
    void set_thread_pointer(u64 value) { thread_pointer = value; }  // takes effect with load()
};

// Entries from user mode find the stack pointer of EL1 where the way out left it: at the top of the thread's stack.
inline void set_kernel_stack(void*) {}

// The exception that this CPU is dying of, while it panics; else null.
extern TrapFrame const* fatal_frame_of_cpu;
[[nodiscard]] inline TrapFrame const* fatal_frame() { return percpu_load(fatal_frame_of_cpu); }

}  // namespace tutti::arch
