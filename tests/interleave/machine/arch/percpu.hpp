// SPDX-License-Identifier: BSD-3-Clause
// Per-CPU storage on the simulated machine: a copy of section .percpu for each CPU. Accesses by "one instruction" are
// plain accesses to this CPU's copy, with interrupts possible before and after but not within.
#pragma once

#include <concepts>

#include "arch/cpu.hpp"

extern "C" char __percpu_start[];
extern "C" char __percpu_end[];

namespace tutti::arch {

#define TUTTI_PERCPU [[gnu::section(".percpu"), gnu::used]] constinit

[[nodiscard]] inline size_t percpu_size() { return static_cast<size_t>(__percpu_end - __percpu_start); }

[[nodiscard]] inline u32 percpu_index() { return interleave::this_cpu(); }

template <class T>
[[nodiscard]] ALWAYS_INLINE T* percpu_address_in(void* area, T& variable) {
    return reinterpret_cast<T*>(static_cast<char*>(area) + (reinterpret_cast<char*>(&variable) - __percpu_start));
}
template <class T>
[[nodiscard]] ALWAYS_INLINE T* percpu_address(T& variable) {
    return percpu_address_in(interleave::percpu_area(interleave::this_cpu()), variable);
}

template <class T>
[[nodiscard]] ALWAYS_INLINE T percpu_load(T const& variable) {
    interleave::interrupt_point();
    return *percpu_address(const_cast<T&>(variable));
}
template <class T>
ALWAYS_INLINE void percpu_store(T& variable, T value) {
    interleave::interrupt_point();
    *percpu_address(variable) = value;
}
template <std::integral T>
ALWAYS_INLINE void percpu_add(T& variable, T amount) {
    interleave::interrupt_point();
    T* const own = percpu_address(variable);
    *own = static_cast<T>(*own + amount);
}
template <std::integral T>
[[nodiscard]] ALWAYS_INLINE bool percpu_dec_and_test(T& variable) {
    interleave::interrupt_point();
    return --*percpu_address(variable) == 0;
}

}  // namespace tutti::arch
