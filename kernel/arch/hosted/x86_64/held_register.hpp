// SPDX-License-Identifier: BSD-3-Clause
// For tests.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Holds `pattern` in a vector register for a while; what is there in the end.
inline u64 hold_in_register(u64 pattern, u64 turns) {
    u64 result;
    asm volatile(
        "movq %1, %%xmm7\n"
        "1: movq %%xmm7, %0\n\t"
        "cmpq %1, %0\n\t"
        "jne 2f\n\t"
        "decq %2\n\t"
        "jnz 1b\n"
        "2:"
        : "=&r"(result), "+r"(pattern), "+r"(turns)
        :
        : "xmm7", "cc");
    return result;
}

}  // namespace tutti::arch
