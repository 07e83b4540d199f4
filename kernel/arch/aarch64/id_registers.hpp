// SPDX-License-Identifier: BSD-3-Clause
// What this CPU has (Arm ARM, DDI 0487, D17.2).
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

enum class IdRegister : u8 { Processor0, Processor1, Instructions0, Instructions1, Memory2 };

[[nodiscard]] inline u64 read_id_register(IdRegister which) {
    u64 value = 0;
    switch (which) {
        case IdRegister::Processor0: asm("mrs %0, id_aa64pfr0_el1" : "=r"(value)); break;
        case IdRegister::Processor1: asm("mrs %0, id_aa64pfr1_el1" : "=r"(value)); break;
        case IdRegister::Instructions0: asm("mrs %0, id_aa64isar0_el1" : "=r"(value)); break;
        case IdRegister::Instructions1: asm("mrs %0, id_aa64isar1_el1" : "=r"(value)); break;
        case IdRegister::Memory2: asm("mrs %0, S3_0_C0_C7_2" : "=r"(value)); break;
    }
    return value;
}
// Maker, part and revision.
[[nodiscard]] ALWAYS_INLINE u64 read_midr() {
    u64 value;
    asm volatile("mrs %0, midr_el1" : "=r"(value));
    return value;
}

}  // namespace tutti::arch
