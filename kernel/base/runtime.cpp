// SPDX-License-Identifier: BSD-3-Clause
// What the C++ language needs from a freestanding runtime and the header-only libstdc++ refers to.
#include <bits/functexcept.h>

#include <new>

#include "base/assert.hpp"

namespace std {
nothrow_t const nothrow{};

// libstdc++ reports a broken precondition (std::string_view::substr past the end, say) through these.
void __throw_out_of_range_fmt(char const* format, ...) { panic("out of range: {}", format); }
void __throw_out_of_range(char const* what) { panic("out of range: {}", what); }
void __throw_length_error(char const* what) { panic("length error: {}", what); }
void __throw_logic_error(char const* what) { panic("logic error: {}", what); }
void __throw_invalid_argument(char const* what) { panic("invalid argument: {}", what); }
}  // namespace std

extern "C" {
void* __dso_handle = nullptr;
[[noreturn]] void __cxa_pure_virtual() { panic("pure virtual function called"); }
// Objects with static storage live as long as the kernel: their destructors never run.
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
[[noreturn]] void abort() { panic("abort called"); }
}

// 128-bit division, which the compiler calls where it cannot inline it. Boot-time arithmetic only: one bit a step.
extern "C" unsigned __int128 __udivti3(unsigned __int128 dividend, unsigned __int128 divisor) {
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
