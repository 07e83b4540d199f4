// SPDX-License-Identifier: BSD-3-Clause
// The instructions and names that the vDSO's code needs, for x86_64.
#pragma once

#include <cstdint>

#define VDSO_FUNCTION(name) __vdso_##name

namespace machine {

inline constexpr char const* kVersion = "LINUX_2.6";
inline constexpr char const* kNames[] = {"__vdso_clock_gettime", "__vdso_clock_getres", "__vdso_gettimeofday", "__vdso_time",
                                         "__vdso_getcpu"};

inline constexpr long kGettimeofday = 96;
inline constexpr long kClockGettime = 228;
inline constexpr long kClockGetres = 229;
inline constexpr long kGetcpu = 309;

[[gnu::always_inline]] inline long call(long number, long first, long second) {
    long result;
    asm volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
    return result;
}

// Not before what precedes it in program order (SDM vol. 2, RDTSC: LFENCE orders it), so that a time taken after an
// event is never earlier than the event.
[[gnu::always_inline]] inline std::uint64_t read_counter() {
    std::uint32_t low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return static_cast<std::uint64_t>(high) << 32 | low;
}

// IA32_TSC_AUX, which the kernel sets to the CPU's number.
[[gnu::always_inline]] inline unsigned cpu_number() {
    std::uint32_t low, high, processor;
    asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(processor)::"memory");
    return processor;
}

[[gnu::always_inline]] inline void relax() { asm volatile("pause" ::: "memory"); }

}  // namespace machine
