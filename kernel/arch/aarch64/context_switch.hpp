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
    auto* const slot = static_cast<u64*>(top) - 14;  // the last two stay 0: the end of the frame-pointer chain
    for (unsigned i = 0; i < 14; ++i) slot[i] = 0;
    slot[1] = reinterpret_cast<u64>(&thread_trampoline);  // x30
    slot[2] = reinterpret_cast<u64>(entry);               // x19
    slot[3] = reinterpret_cast<u64>(argument);            // x20
    return slot;
}

}  // namespace tutti::arch
