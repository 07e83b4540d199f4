// SPDX-License-Identifier: BSD-3-Clause
// What cpu.hpp is made of on this processor, and what a program is told of it.
#pragma once

#include "arch/x86_64/cpuid.hpp"
#include "base/compiler.hpp"
#include "base/types.hpp"

extern "C" void hosted_set_gs_base(tutti::u64 base);

namespace tutti::arch {

ALWAYS_INLINE void spin_hint() { asm volatile("pause" ::: "memory"); }

// This CPU's copy of a word: one instruction each, which no interrupt splits.
[[nodiscard]] ALWAYS_INLINE u32 own_word(u32 const& word) {
    u32 value;
    asm volatile("movl %%gs:%1, %0" : "=r"(value) : "m"(word) : "memory");
    return value;
}
ALWAYS_INLINE void set_own_word(u32& word, u32 value) { asm volatile("movl %1, %%gs:%0" : "=m"(word) : "ri"(value) : "memory"); }

[[nodiscard]] ALWAYS_INLINE u64 read_tsc() {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64{high} << 32) | low;
}
// A counter of this CPU that never stops, for randomness and accounting.
[[nodiscard]] ALWAYS_INLINE u64 read_counter() { return read_tsc(); }
// After every load before it: time that another CPU has published is in the past here too.
[[nodiscard]] ALWAYS_INLINE u64 read_counter_ordered() {
    u32 low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64{high} << 32) | low;
}
// 0: to be measured.
[[nodiscard]] inline u64 stated_counter_frequency() { return 0; }

[[nodiscard]] ALWAYS_INLINE u64 read_flags() {
    u64 flags;
    asm volatile("pushfq; popq %0" : "=r"(flags)::"memory");
    return flags;
}

inline constexpr bool kUserPrograms = true;
// RDTSCP and RDPID give the number of the host's processor.
inline constexpr bool kCpuNumberIsOurs = false;
// Programs may if the host lets us, but are not told: what they set would be lost at a switch.
[[nodiscard]] inline bool programs_may_set_bases() { return false; }
[[nodiscard]] inline bool has_five_page_table_levels() { return false; }

inline void set_gs_base(u64 base) { hosted_set_gs_base(base); }

}  // namespace tutti::arch
