// SPDX-License-Identifier: BSD-3-Clause
// System calls without the C library: no errno, which belongs to a host thread (a kernel thread may continue on another),
// and no sanitizer's interceptor, which may hold locks when an interrupt comes.
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

// Negative: minus the error's number.
ALWAYS_INLINE i64 host_call(i64 number, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0, u64 f = 0) {
    i64 result;
    register u64 r10 asm("r10") = d;
    register u64 r8 asm("r8") = e;
    register u64 r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}
template <class T>
[[nodiscard]] ALWAYS_INLINE u64 host_argument(T* pointer) {
    return reinterpret_cast<u64>(pointer);
}

}  // namespace tutti::arch
