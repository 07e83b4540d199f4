// SPDX-License-Identifier: BSD-3-Clause
// The CPU's own random numbers: RDSEED, else RDRAND (SDM vol. 1, section 7.3.17).
#pragma once

#include <optional>

#include "arch/cpu.hpp"

namespace tutti::arch {

// 64 bits, or nothing when this CPU has no such instruction or gave none in ten attempts.
[[nodiscard]] inline std::optional<u64> hardware_random() {
    constexpr u32 kRdseed = 1u << 18;  // leaf 7, EBX
    constexpr u32 kRdrand = 1u << 30;  // leaf 1, ECX
    bool const rdseed = cpuid(0).eax >= 7 && (cpuid(7).ebx & kRdseed) != 0;
    bool const rdrand = (cpuid(1).ecx & kRdrand) != 0;
    for (int attempt = 0; attempt < 10; ++attempt) {
        u64 value = 0;
        bool valid = false;
        if (rdseed) asm volatile("rdseed %0" : "=r"(value), "=@ccc"(valid));
        if (!valid && rdrand) asm volatile("rdrand %0" : "=r"(value), "=@ccc"(valid));
        if (valid) return value;
        pause();
    }
    return std::nullopt;
}

}  // namespace tutti::arch
