// SPDX-License-Identifier: BSD-3-Clause
// What the cases write in assembly.
#pragma once

#define CALL "bl "
#define LOAD_ADDRESS(function) "ldr %0, =" function

[[gnu::always_inline]] inline void halt() { asm volatile("wfi"); }
[[gnu::always_inline]] inline bool interrupts_enabled() {
    long flags;
    asm volatile("mrs %0, daif" : "=r"(flags)::"memory");
    return (flags & 0x80) == 0;
}
[[gnu::always_inline]] inline void copy_by_vector(void* to, void const* from) {
    asm volatile(".arch_extension fp\n\t.arch_extension simd\n\tldr q0, [%1]\n\tstr q0, [%0]" ::"r"(to), "r"(from) : "memory");
}
// As near to that as it can be.
[[gnu::always_inline]] inline void copy_by_word(void* to, void const* from) {
    asm volatile("ldp x9, x10, [%1]; stp x9, x10, [%0]; prfm pldl1keep, [%1]" ::"r"(to), "r"(from) : "x9", "x10", "memory");
}
