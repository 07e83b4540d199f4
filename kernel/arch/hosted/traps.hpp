// SPDX-License-Identifier: BSD-3-Clause
// Signals as the ways into the kernel: interrupts, the non-maskable interrupt, exceptions.
//
//   post_interrupt()    sets a bit in the target's word; a wake-up if it halts, else kInterruptSignal
//   kInterruptSignal    flag set: takes what is posted, on the stack of the interrupted thread, which may be switched
//   kTimerSignal        away in there. Flag clear: returns at once; enable_interrupts() looks at the word
//   kNmiSignal          whatever the flag says
//   SIGSEGV, SIGFPE ... a panic, on a stack of their own
#pragma once

#include "arch/percpu.hpp"
#include "arch/trap_frame.hpp"
#include "base/types.hpp"

extern "C" {
extern tutti::u32 exit_work;  // per-CPU: work wanted before a return to user mode; there is no user mode here
}

namespace tutti::arch {

inline constexpr unsigned kVectorDivide = 0;
inline constexpr unsigned kVectorPageFault = 14;
inline constexpr unsigned kFirstInterruptVector = 32;

// The interrupts that there are: bits of a CPU's word. The vector is kFirstInterruptVector + the bit.
enum class Interrupt : u32 { Timer, Reschedule, Call };

// The numbers that the C library leaves free begin at 34.
inline constexpr int kInterruptSignal = 34;
inline constexpr int kTimerSignal = 35;
inline constexpr int kNmiSignal = 36;

// Handlers of all signals; once, before any CPU has interrupts on.
void traps_init();
// The calling thread becomes the CPU whose area is installed: its thread id, and a stack for exceptions.
void traps_init_cpu();

// To the CPU with this per-CPU area; the caller stays on its own CPU meanwhile. Any context.
void post_interrupt(void* area, Interrupt interrupt);
void post_nmi(void* area);
// The same from a signal's handler on that CPU, which goes on to take it if it may.
void post_interrupt_unannounced(void* area, Interrupt interrupt);

inline void set_kernel_stack(void*) {}

// The exception that this CPU is dying of, while it panics; else null.
extern TrapFrame const* fatal_frame_of_cpu;
[[nodiscard]] inline TrapFrame const* fatal_frame() { return percpu_load(fatal_frame_of_cpu); }

}  // namespace tutti::arch
