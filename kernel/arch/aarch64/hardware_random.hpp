// SPDX-License-Identifier: BSD-3-Clause
// The CPU's own random numbers: RNDR (Arm ARM, D17.2: FEAT_RNG).
#pragma once

#include <optional>

#include "arch/cpu.hpp"

namespace tutti::arch {

// 64 bits, or nothing when this CPU has no such register or gave none in ten attempts.
[[nodiscard]] inline std::optional<u64> hardware_random() {
    if (read_isar0() >> 60 == 0) return std::nullopt;
    for (int attempt = 0; attempt < 10; ++attempt) {
        u64 value = 0, valid = 0;
        asm volatile("mrs %0, S3_3_C2_C4_0\n\tcset %1, ne" : "=r"(value), "=r"(valid)::"cc");
        if (valid != 0) return value;
        pause();
    }
    return std::nullopt;
}

}  // namespace tutti::arch
