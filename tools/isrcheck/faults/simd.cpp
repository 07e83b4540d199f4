// SPDX-License-Identifier: BSD-3-Clause
// Vector registers, which the entry code does not save.
// EXPECT simd: handler -> fast_copy -> inlined copy_by_vector
#include "machine.hpp"

NOINLINE ISR_SAFE void fast_copy(void* to, void const* from) {
#if FAULT
    copy_by_vector(to, from);
#else
    copy_by_word(to, from);
#endif
}
ISR_SAFE void handler() { int volatile copy[4]; fast_copy(const_cast<int*>(copy), const_cast<int*>(&something)); something = copy[0]; }
void thread_main() { copy_by_vector(const_cast<int*>(&something), const_cast<int*>(&something)); }
