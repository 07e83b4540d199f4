// SPDX-License-Identifier: BSD-3-Clause
// Switching kernel stacks: callee-saved registers only; floating point and user registers are the caller's business.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

extern "C" {
// Saves the callee-saved registers on the current stack, stores the stack pointer in *save, continues on `load`.
// Returns when something switches back to *save. Interrupts off.
void switch_stacks(void** save, void* load);
void thread_trampoline();
}

namespace tutti::arch {

// Lays out a new stack so that the first switch to it calls entry(argument), which must not return.
// `top` is 16-byte aligned. Returns the value to switch to.
[[nodiscard]] NOINLINE inline void* prepare_stack(void* top, void (*entry)(void*), void* argument) {
    ISR_NOTE("thread-main", "entry");
    auto* slot = static_cast<u64*>(top);
    *--slot = 0;  // alignment, and the end of the frame-pointer chain
    *--slot = 0;
    *--slot = reinterpret_cast<u64>(&thread_trampoline);
    *--slot = 0;                                   // rbp
    *--slot = reinterpret_cast<u64>(entry);        // rbx
    *--slot = reinterpret_cast<u64>(argument);     // r12
    *--slot = 0;                                   // r13
    *--slot = 0;                                   // r14
    *--slot = 0;                                   // r15
    return slot;
}

}  // namespace tutti::arch
