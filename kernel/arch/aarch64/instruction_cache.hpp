// SPDX-License-Identifier: BSD-3-Clause
// Instruction caches do not follow stores (Arm ARM, DDI 0487, B2.4.4).
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Before a translation that makes `page` executable is installed: every CPU that executes from it sees what was stored
// there. Any context.
inline void publish_instructions(void const* page) {
    constexpr u64 kPhysicallyTagged = 3;  // in L1Ip: maintenance by one address reaches all that alias it
    u64 type;
    asm("mrs %0, ctr_el0" : "=r"(type));
    u64 const start = reinterpret_cast<u64>(page);
    bool const unified = (type & 1u << 28) != 0;   // IDC: data need no cleaning
    bool const coherent = (type & 1u << 29) != 0;  // DIC: instructions need no invalidation
    u64 const data_line = u64{4} << (type >> 16 & 0xf);
    u64 const instruction_line = u64{4} << (type & 0xf);
    if (!unified)
        for (u64 line = start; line < start + kPageSize; line += data_line) asm volatile("dc cvau, %0" ::"r"(line) : "memory");
    asm volatile("dsb ish" ::: "memory");
    if (coherent) return;
    if ((type >> 14 & 3) == kPhysicallyTagged)
        for (u64 line = start; line < start + kPageSize; line += instruction_line)
            asm volatile("ic ivau, %0" ::"r"(line) : "memory");
    else
        asm volatile("ic ialluis" ::: "memory");
    asm volatile("dsb ish" ::: "memory");  // the way back to the program synchronises the context
}

}  // namespace tutti::arch
