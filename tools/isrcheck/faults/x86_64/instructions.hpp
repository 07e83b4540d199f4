// SPDX-License-Identifier: BSD-3-Clause
// What the cases write in assembly.
#pragma once

#define CALL "call "
#define LOAD_ADDRESS(function) "movabsq $" function ", %0"

[[gnu::always_inline]] inline void halt() { asm volatile("hlt"); }
[[gnu::always_inline]] inline bool interrupts_enabled() {
    long flags;
    asm volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return (flags & 0x200) != 0;
}
[[gnu::always_inline]] inline void copy_by_vector(void* to, void const* from) {
    asm volatile("movups (%1), %%xmm0; movups %%xmm0, (%0)" ::"r"(to), "r"(from) : "memory");
}
// As near to that as it can be.
[[gnu::always_inline]] inline void copy_by_word(void* to, void const* from) {
    asm volatile("movq (%1), %%rax; movq %%rax, (%0); lfence; prefetchnta (%1)" ::"r"(to), "r"(from) : "rax", "memory");
}
