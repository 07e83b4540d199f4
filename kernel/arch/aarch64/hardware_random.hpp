// SPDX-License-Identifier: BSD-3-Clause
// The CPU's own random numbers: RNDRRS (FEAT_RNG, Armv8.5; Arm ARM, D23.2.140).
#pragma once

#include <optional>

#include "arch/cpu.hpp"

namespace tutti::arch {

// 64 bits, or nothing when this CPU has no such register or gave none in ten attempts.
[[nodiscard]] inline std::optional<u64> hardware_random() {
    if (read_isar0() >> 60 == 0) return std::nullopt;
    for (int attempt = 0; attempt < 10; ++attempt) {
        u64 value;
        u64 valid;
        // The flags read as Z on failure.
        asm volatile("mrs %0, S3_3_C2_C4_1; cset %1, ne" : "=r"(value), "=r"(valid)::"cc", "memory");
        if (valid != 0) return value;
        pause();
    }
    return std::nullopt;
}

}  // namespace tutti::arch
