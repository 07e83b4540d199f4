// SPDX-License-Identifier: BSD-3-Clause
// Access to device registers: each one load or store of exactly that width, in the order of the program among themselves
// and with memory that the device reads and writes: what was stored before a write is there when the device looks, and
// what is loaded after a read is no older than it. Device memory is uncached, so the hardware keeps that order (SDM vol. 3,
// 9.2); the compiler must too.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

template <class T>
[[nodiscard]] ALWAYS_INLINE T mmio_read(void const volatile* at) {
    T const value = *static_cast<T const volatile*>(at);
    asm volatile("" ::: "memory");
    return value;
}
template <class T>
ALWAYS_INLINE void mmio_write(void volatile* at, T value) {
    asm volatile("" ::: "memory");
    *static_cast<T volatile*>(at) = value;
}

}  // namespace tutti::arch
