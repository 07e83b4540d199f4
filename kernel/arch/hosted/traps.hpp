// SPDX-License-Identifier: BSD-3-Clause
// Signals as the ways into the kernel: interrupts, the non-maskable interrupt, exceptions, system calls.
//
//   post_interrupt()    sets a bit in the target's word; a wake-up if it halts, else kInterruptSignal
//   kInterruptSignal    in a program, or in the kernel with the flag set: takes what is posted, on the stack of the thread,
//   kTimerSignal        which may be switched away in there. Flag clear: returns at once; enable_interrupts() looks
//   kNmiSignal          whatever the flag says
//   SIGSEGV, SIGFPE ... of a program: what the exception of a CPU is. Of the kernel: a user page, a fix-up, or a panic
//   SIGSYS              a system call of a program (syscall user dispatch, or a seccomp filter)
//
// Every signal comes in on a small stack of its CPU, the entry stack. What is not done at once goes on on the kernel stack
// of the thread: there a frame is made of the signal's, which is then forgotten. How interrupted kernel code goes on from
// there, perhaps on another CPU, and how a program does, is the processor's business (signal_entry.S).
#pragma once

#include "arch/percpu.hpp"
#include "arch/processor_traps.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

extern "C" {
extern tutti::u32 exit_work;            // per-CPU: work wanted before a return to user mode
extern tutti::u64 hosted_kernel_stack;  // per-CPU: where the current thread's kernel stack begins
}

namespace tutti::arch {

inline constexpr unsigned kFirstInterruptVector = 32;

// The interrupts that there are: bits of a CPU's word, the rest of it devices'. The vector is kFirstInterruptVector + the bit.
enum class Interrupt : u32 { Timer, Reschedule, Call, FirstDevice };

// The numbers that the C library leaves free begin at 34.
inline constexpr int kInterruptSignal = 34;
inline constexpr int kTimerSignal = 35;
inline constexpr int kNmiSignal = 36;

// Handlers of all signals; once, before any CPU has interrupts on.
void traps_init();
// The calling thread becomes the CPU whose area is installed: its thread id and its entry stack.
void traps_init_cpu();
// From now on system calls of code outside this image, in the calling thread, are a program's. Each CPU, where programs run.
void dispatch_system_calls();

// To the CPU with this per-CPU area; the caller stays on its own CPU meanwhile. Any context.
void post_interrupt(void* area, Interrupt interrupt);
void post_nmi(void* area);
// The same from the signal's handler on this CPU, which goes on to take it if it may.
void post_interrupt_here(Interrupt interrupt);

// Where the kernel is entered from user mode: the top of the next thread's kernel stack.
inline void set_kernel_stack(void* top) { percpu_store(hosted_kernel_stack, reinterpret_cast<u64>(top)); }

// The exception that this CPU is dying of, while it panics; else null.
extern TrapFrame const* fatal_frame_of_cpu;
[[nodiscard]] inline TrapFrame const* fatal_frame() { return percpu_load(fatal_frame_of_cpu); }

}  // namespace tutti::arch
