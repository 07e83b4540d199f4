// SPDX-License-Identifier: BSD-3-Clause
// For tests.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Holds `pattern` in a vector register for a while; what is there in the end. The compiler uses none of them.
inline u64 hold_in_register(u64 pattern, u64 turns) {
    u64 result;
    asm volatile(
        ".arch_extension fp\n\t"
        "fmov d8, %1\n"
        "1: fmov %0, d8\n\t"
        "cmp %0, %1\n\t"
        "b.ne 2f\n\t"
        "subs %2, %2, #1\n\t"
        "b.ne 1b\n"
        "2:"
        : "=&r"(result), "+r"(pattern), "+r"(turns)
        :
        : "cc");
    return result;
}

}  // namespace tutti::arch
