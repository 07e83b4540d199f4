// SPDX-License-Identifier: BSD-3-Clause
// Switching stacks within a simulated CPU, for programs with the real dispatcher (machine/scheduler.cpp).
#pragma once

#include "arch/cpu.hpp"

extern "C" {
void switch_stacks(void** save, void* load);
void thread_trampoline();
}

namespace tutti::arch {

[[nodiscard]] inline void* prepare_stack(void* top, void (*entry)(void*), void* argument) {
    auto* slot = static_cast<u64*>(top);
    *--slot = 0;
    *--slot = 0;
    *--slot = reinterpret_cast<u64>(&thread_trampoline);
    *--slot = 0;                                // rbp
    *--slot = reinterpret_cast<u64>(entry);     // rbx
    *--slot = reinterpret_cast<u64>(argument);  // r12
    for (int i = 0; i < 3; ++i) *--slot = 0;
    return slot;
}

}  // namespace tutti::arch
