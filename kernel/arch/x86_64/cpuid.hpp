// SPDX-License-Identifier: BSD-3-Clause
// What the CPU says of itself; at any privilege.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

struct CpuidResult {
    u32 eax, ebx, ecx, edx;
};
[[nodiscard]] inline CpuidResult cpuid(u32 leaf, u32 subleaf = 0) {
    CpuidResult r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

}  // namespace tutti::arch
