// SPDX-License-Identifier: BSD-3-Clause
// The instructions and names that the vDSO's code needs, for aarch64.
#pragma once

#include <cstdint>

#define VDSO_FUNCTION(name) __kernel_##name

namespace machine {

inline constexpr char const* kVersion = "LINUX_2.6.39";
inline constexpr char const* kNames[] = {"__kernel_clock_gettime", "__kernel_clock_getres", "__kernel_gettimeofday",
                                         "__kernel_rt_sigreturn"};

inline constexpr long kGettimeofday = 169;
inline constexpr long kClockGettime = 113;
inline constexpr long kClockGetres = 114;
inline constexpr long kGetcpu = 168;

[[gnu::always_inline]] inline long call(long number, long first, long second) {
    register long x0 asm("x0") = first;
    register long x1 asm("x1") = second;
    register long x8 asm("x8") = number;
    asm volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
    return x0;
}

// Not before what precedes it in program order (Arm ARM, D11.2.2: ISB orders it), so that a time taken after an event is
// never earlier than the event.
[[gnu::always_inline]] inline std::uint64_t read_counter() {
    std::uint64_t count;
    asm volatile("isb; mrs %0, cntvct_el0" : "=r"(count)::"memory");
    return count;
}

// Never asked: the kernel does not set kCpuNumberValid.
[[gnu::always_inline]] inline unsigned cpu_number() { return 0; }

[[gnu::always_inline]] inline void relax() { asm volatile("yield" ::: "memory"); }

}  // namespace machine
