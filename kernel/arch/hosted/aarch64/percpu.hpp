// SPDX-License-Identifier: BSD-3-Clause
// Per-CPU storage: relative to x18 (processor.hpp).
#pragma once

#include <concepts>

#include "arch/cpu.hpp"

extern "C" char __percpu_start[];
extern "C" char __percpu_end[];

namespace tutti::arch {

#define TUTTI_PERCPU [[gnu::section(".percpu"), gnu::used]] constinit

[[nodiscard]] inline size_t percpu_size() { return static_cast<size_t>(__percpu_end - __percpu_start); }

[[nodiscard]] ALWAYS_INLINE u64 percpu_base() {
    u64 base;
    asm volatile("mov %0, x18" : "=r"(base)::"memory");
    return base;
}

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

// One instruction each, atomic with respect to interrupts on this CPU and to migration, not to other CPUs.
template <class T>
    requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8)
[[nodiscard]] ALWAYS_INLINE T percpu_load(T const& variable) {
    T value;
    if constexpr (sizeof(T) == 1)
        asm volatile("ldrb %w0, [x18, %1]" : "=r"(value) : "r"(&variable) : "memory");
    else if constexpr (sizeof(T) == 2)
        asm volatile("ldrh %w0, [x18, %1]" : "=r"(value) : "r"(&variable) : "memory");
    else if constexpr (sizeof(T) == 4)
        asm volatile("ldr %w0, [x18, %1]" : "=r"(value) : "r"(&variable) : "memory");
    else
        asm volatile("ldr %0, [x18, %1]" : "=r"(value) : "r"(&variable) : "memory");
    return value;
}
template <class T>
    requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8)
ALWAYS_INLINE void percpu_store(T& variable, T value) {
    if constexpr (sizeof(T) == 1)
        asm volatile("strb %w0, [x18, %1]" ::"r"(value), "r"(&variable) : "memory");
    else if constexpr (sizeof(T) == 2)
        asm volatile("strh %w0, [x18, %1]" ::"r"(value), "r"(&variable) : "memory");
    else if constexpr (sizeof(T) == 4)
        asm volatile("str %w0, [x18, %1]" ::"r"(value), "r"(&variable) : "memory");
    else
        asm volatile("str %0, [x18, %1]" ::"r"(value), "r"(&variable) : "memory");
}
// Several instructions: with interrupts off.
template <std::integral T>
    requires(sizeof(T) == 4 || sizeof(T) == 8)
ALWAYS_INLINE void percpu_add(T& variable, T amount) {
    IrqState const before = disable_interrupts();
    percpu_store(variable, static_cast<T>(percpu_load(variable) + amount));
    restore_interrupts(before);
}
// Subtracts one. True: it is zero then.
template <std::integral T>
    requires(sizeof(T) == 4)
[[nodiscard]] ALWAYS_INLINE bool percpu_dec_and_test(T& variable) {
    IrqState const before = disable_interrupts();
    T const left = percpu_load(variable) - 1;
    percpu_store(variable, left);
    restore_interrupts(before);
    return left == 0;
}

// Which CPU this is: its index, kept in its area. Stale at once unless the caller stays here.
extern u32 percpu_own_index;
[[nodiscard]] ALWAYS_INLINE u32 percpu_index() { return percpu_load(percpu_own_index); }

inline void percpu_install(void* area, u32 index) {
    u64 const base = reinterpret_cast<u64>(area) - reinterpret_cast<u64>(__percpu_start);
    asm volatile("mov x18, %0" ::"r"(base) : "memory");
    percpu_store(percpu_own_index, index);
}

}  // namespace tutti::arch
