// SPDX-License-Identifier: BSD-3-Clause
// Per-CPU storage on aarch64: TPIDR_EL1 of each CPU is (address of its area - __percpu_start). There is no access relative
// to it in one instruction, so interrupts are masked around those that must not be torn from their CPU.
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
    asm volatile("mrs %0, tpidr_el1" : "=r"(base)::"memory");
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

// Atomic with respect to interrupts on this CPU and to migration, not to other CPUs.
template <class T>
    requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8)
[[nodiscard]] ALWAYS_INLINE T percpu_load(T const& variable) {
    IrqState const before = disable_interrupts();
    T const value = *static_cast<T const volatile*>(percpu_address(variable));
    restore_interrupts(before);
    return value;
}
template <class T>
    requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8)
ALWAYS_INLINE void percpu_store(T& variable, T value) {
    IrqState const before = disable_interrupts();
    *static_cast<T volatile*>(percpu_address(variable)) = value;
    restore_interrupts(before);
}
template <std::integral T>
    requires(sizeof(T) == 4 || sizeof(T) == 8)
ALWAYS_INLINE void percpu_add(T& variable, T amount) {
    IrqState const before = disable_interrupts();
    T* const own = percpu_address(variable);
    *static_cast<T volatile*>(own) = *own + amount;
    restore_interrupts(before);
}
// Subtracts one. True: it is zero then.
template <std::integral T>
    requires(sizeof(T) == 4)
[[nodiscard]] ALWAYS_INLINE bool percpu_dec_and_test(T& variable) {
    IrqState const before = disable_interrupts();
    T* const own = percpu_address(variable);
    T const left = *own - 1;
    *static_cast<T volatile*>(own) = left;
    restore_interrupts(before);
    return left == 0;
}

// Which CPU this is: its index, kept in its area. Stale at once unless the caller stays here.
extern u32 percpu_own_index;
[[nodiscard]] ALWAYS_INLINE u32 percpu_index() { return percpu_load(percpu_own_index); }

inline void percpu_install(void* area, u32 index) {
    u64 const base = reinterpret_cast<u64>(area) - reinterpret_cast<u64>(__percpu_start);
    asm volatile("msr tpidr_el1, %0" ::"r"(base) : "memory");
    percpu_store(percpu_own_index, index);
}

}  // namespace tutti::arch
