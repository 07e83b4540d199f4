// SPDX-License-Identifier: BSD-3-Clause
// Vector registers, which the entry code does not save.
// EXPECT simd: handler -> fast_copy
#include "machine.hpp"

NOINLINE ISR_SAFE void fast_copy(void* to, void const* from) {
#if FAULT
    asm volatile("movups (%1), %%xmm0; movups %%xmm0, (%0)" ::"r"(to), "r"(from) : "memory");
#else
    asm volatile("movq (%1), %%rax; movq %%rax, (%0); lfence; prefetchnta (%1)" ::"r"(to), "r"(from) : "rax", "memory");
#endif
}
ISR_SAFE void handler() { int volatile copy[4]; fast_copy(const_cast<int*>(copy), const_cast<int*>(&something)); something = copy[0]; }
void thread_main() { asm volatile("movups %%xmm0, %%xmm1" ::: "memory"); }
