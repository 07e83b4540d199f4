// SPDX-License-Identifier: BSD-3-Clause
// Per-CPU storage on x86_64: the GS base of each CPU is (address of its area - __percpu_start), so that a gs-relative
// access with the link-time address of a variable in section .percpu reaches this CPU's copy in one instruction.
// Before percpu_install() runs on the boot CPU, GS base is 0 and the template in the image itself is its copy.
#pragma once

#include <concepts>

#include "arch/cpu.hpp"

extern "C" char __percpu_start[];
extern "C" char __percpu_end[];

namespace tutti::arch {

// Places a variable in the per-CPU template. Constant-initialised; every CPU's copy starts as a copy of it.
#define TUTTI_PERCPU [[gnu::section(".percpu"), gnu::used]] constinit

[[nodiscard]] inline size_t percpu_size() { return static_cast<size_t>(__percpu_end - __percpu_start); }

// One gs-relative instruction each, atomic with respect to interrupts on this CPU, not to other CPUs.
template <class T>
    requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8)
[[nodiscard]] ALWAYS_INLINE T percpu_load(T const& variable) {
    T value;
    if constexpr (sizeof(T) == 1)
        asm volatile("movb %%gs:%1, %0" : "=q"(value) : "m"(variable));
    else if constexpr (sizeof(T) == 2)
        asm volatile("movw %%gs:%1, %0" : "=r"(value) : "m"(variable));
    else if constexpr (sizeof(T) == 4)
        asm volatile("movl %%gs:%1, %0" : "=r"(value) : "m"(variable));
    else
        asm volatile("movq %%gs:%1, %0" : "=r"(value) : "m"(variable));
    return value;
}
template <class T>
    requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8)
ALWAYS_INLINE void percpu_store(T& variable, T value) {
    if constexpr (sizeof(T) == 1)
        asm volatile("movb %1, %%gs:%0" : "=m"(variable) : "q"(value) : "memory");
    else if constexpr (sizeof(T) == 2)
        asm volatile("movw %1, %%gs:%0" : "=m"(variable) : "r"(value) : "memory");
    else if constexpr (sizeof(T) == 4)
        asm volatile("movl %1, %%gs:%0" : "=m"(variable) : "r"(value) : "memory");
    else
        asm volatile("movq %1, %%gs:%0" : "=m"(variable) : "r"(value) : "memory");
}
template <std::integral T>
    requires(sizeof(T) == 4 || sizeof(T) == 8)
ALWAYS_INLINE void percpu_add(T& variable, T amount) {
    if constexpr (sizeof(T) == 4)
        asm volatile("addl %1, %%gs:%0" : "+m"(variable) : "er"(amount) : "memory", "cc");
    else
        asm volatile("addq %1, %%gs:%0" : "+m"(variable) : "er"(amount) : "memory", "cc");
}
// Subtracts one. True: it is zero then.
template <std::integral T>
    requires(sizeof(T) == 4)
[[nodiscard]] ALWAYS_INLINE bool percpu_dec_and_test(T& variable) {
    bool zero;
    asm volatile("decl %%gs:%1" : "=@ccz"(zero), "+m"(variable)::"memory");
    return zero;
}

// Which CPU this is: its index, kept in its area. Stale at once unless the caller stays here.
extern u32 percpu_own_index;
[[nodiscard]] ALWAYS_INLINE u32 percpu_index() { return percpu_load(percpu_own_index); }

// Makes `area` (percpu_size() bytes, cache-line aligned, holding a copy of the template) the storage of this CPU, which is
// the one with that index.
inline void percpu_install(void* area, u32 index) {
    set_gs_base(reinterpret_cast<u64>(area) - reinterpret_cast<u64>(__percpu_start));
    percpu_store(percpu_own_index, index);
}

// GS base of this CPU; percpu_address() of a variable adds it. Kept in the area itself: reading the MSR is slow.
extern u64 percpu_base_self;
[[nodiscard]] ALWAYS_INLINE u64 percpu_base() { return percpu_load(percpu_base_self); }

// This CPU's copy of `variable`. The caller stays on this CPU while it uses the pointer.
template <class T>
[[nodiscard]] ALWAYS_INLINE T* percpu_address(T& variable) {
    return reinterpret_cast<T*>(reinterpret_cast<u64>(&variable) + percpu_base());
}
// The copy in a given area.
template <class T>
[[nodiscard]] ALWAYS_INLINE T* percpu_address_in(void* area, T& variable) {
    return reinterpret_cast<T*>(static_cast<char*>(area) + (reinterpret_cast<char*>(&variable) - __percpu_start));
}

}  // namespace tutti::arch
