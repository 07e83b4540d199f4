// SPDX-License-Identifier: BSD-3-Clause
// What cpu.hpp is made of on this processor.
//
// x18 of a thread that is a CPU is (address of its area - __percpu_start); the compiler leaves it alone (-ffixed-x18). So a
// word of the area is one load or store away, which no interrupt splits, as on x86_64. Interrupted kernel code that goes
// on on another CPU goes on with that CPU's x18 (signal_entry.S); switched stacks do not hold it.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

ALWAYS_INLINE void spin_hint() { asm volatile("yield" ::: "memory"); }

// This CPU's copy of a word: one instruction each, which no interrupt splits.
[[nodiscard]] ALWAYS_INLINE u32 own_word(u32 const& word) {
    u32 value;
    asm volatile("ldr %w0, [x18, %1]" : "=r"(value) : "r"(&word) : "memory");
    return value;
}
ALWAYS_INLINE void set_own_word(u32& word, u32 value) { asm volatile("str %w0, [x18, %1]" ::"rZ"(value), "r"(&word) : "memory"); }

// The virtual counter, for randomness and accounting.
[[nodiscard]] ALWAYS_INLINE u64 read_counter() {
    u64 count;
    asm volatile("mrs %0, cntvct_el0" : "=r"(count)::"memory");
    return count;
}
// After every instruction before it: time that another CPU has published is in the past here too (Arm ARM, D11.2.2).
[[nodiscard]] ALWAYS_INLINE u64 read_counter_ordered() {
    u64 count;
    asm volatile("isb; mrs %0, cntvct_el0" : "=r"(count)::"memory");
    return count;
}
[[nodiscard]] inline u64 stated_counter_frequency() {
    u64 hz;
    asm volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}

// Linux gives programs the value of this register.
[[nodiscard]] ALWAYS_INLINE u64 read_isar0() {
    u64 value;
    asm volatile("mrs %0, id_aa64isar0_el1" : "=r"(value));
    return value;
}
// Privileged access never: a process has no privilege that could be kept from user memory.
[[nodiscard]] inline bool has_pan() { return false; }
[[nodiscard]] inline bool read_pan() { return false; }

// README.md says what is missing.
inline constexpr bool kUserPrograms = false;

}  // namespace tutti::arch
