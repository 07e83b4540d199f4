// SPDX-License-Identifier: BSD-3-Clause
// Access to device registers: each one load or store of exactly that width, in the order of the program among themselves
// and with memory that the device reads and writes: what was stored before a write is there when the device looks, and
// what is loaded after a read is no older than it. The barriers reach the outer shareable domain, where devices are.
//
// Written as instructions: a hypervisor cannot tell what an access with write-back of its base, or of a pair, wanted.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

template <class T>
[[nodiscard]] ALWAYS_INLINE T mmio_read(void const volatile* at) {
    u64 value;
    if constexpr (sizeof(T) == 1)
        asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
    else if constexpr (sizeof(T) == 2)
        asm volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
    else if constexpr (sizeof(T) == 4)
        asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
    else
        asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
    asm volatile("dmb oshld" ::: "memory");
    return static_cast<T>(value);
}
template <class T>
ALWAYS_INLINE void mmio_write(void volatile* at, T value) {
    asm volatile("dmb oshst" ::: "memory");
    if constexpr (sizeof(T) == 1)
        asm volatile("strb %w1, [%0]" ::"r"(at), "r"(u64{value}) : "memory");
    else if constexpr (sizeof(T) == 2)
        asm volatile("strh %w1, [%0]" ::"r"(at), "r"(u64{value}) : "memory");
    else if constexpr (sizeof(T) == 4)
        asm volatile("str %w1, [%0]" ::"r"(at), "r"(u64{value}) : "memory");
    else
        asm volatile("str %1, [%0]" ::"r"(at), "r"(u64{value}) : "memory");
}

}  // namespace tutti::arch
