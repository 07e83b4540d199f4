// SPDX-License-Identifier: BSD-3-Clause
// System calls without the C library: no errno, which belongs to a host thread (a kernel thread may continue on another).
#pragma once

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::arch {

// Negative: minus the error's number.
ALWAYS_INLINE i64 host_call(i64 number, u64 a = 0, u64 b = 0, u64 c = 0, u64 d = 0, u64 e = 0, u64 f = 0) {
    register i64 x8 asm("x8") = number;
    register u64 x0 asm("x0") = a;
    register u64 x1 asm("x1") = b;
    register u64 x2 asm("x2") = c;
    register u64 x3 asm("x3") = d;
    register u64 x4 asm("x4") = e;
    register u64 x5 asm("x5") = f;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return static_cast<i64>(x0);
}
template <class T>
[[nodiscard]] ALWAYS_INLINE u64 host_argument(T* pointer) {
    return reinterpret_cast<u64>(pointer);
}

}  // namespace tutti::arch
