// SPDX-License-Identifier: BSD-3-Clause
// What a C library and the compiler's own library give on other systems (with memory_functions.cpp).
#include "base/assert.hpp"

extern "C" {
void* __dso_handle = nullptr;
// Objects with static storage live as long as the kernel: their destructors never run.
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
[[noreturn]] ISR_SAFE void abort() { panic("abort called"); }
}

// 128-bit division, which the compiler calls where it cannot inline it. Boot-time arithmetic only: one bit a step.
extern "C" ISR_SAFE unsigned __int128 __udivti3(unsigned __int128 dividend, unsigned __int128 divisor) {
    unsigned __int128 quotient = 0;
    unsigned __int128 remainder = 0;
    for (int bit = 127; bit >= 0; --bit) {
        remainder = remainder << 1 | (dividend >> bit & 1);
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= static_cast<unsigned __int128>(1) << bit;
        }
    }
    return quotient;
}
