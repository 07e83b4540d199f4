// SPDX-License-Identifier: BSD-3-Clause
// What Debian's libfdt expects of a C library and no other part of the kernel needs: it is compiled with stack protection.
#include <cstddef>

#include "base/assert.hpp"

extern "C" {

// A constant: it guards against our own bugs here, not against anybody who could read it.
extern unsigned long const __stack_chk_guard;
constinit unsigned long const __stack_chk_guard = 0x9e3779b97f4a7c00;
[[noreturn]] void __stack_chk_fail() { panic("libfdt has written past its stack frame"); }

size_t strnlen(char const* text, size_t limit) {
    size_t length = 0;
    while (length < limit && text[length] != 0) ++length;
    return length;
}

char* strchr(char const* text, int wanted) {
    for (;; ++text) {
        if (*text == static_cast<char>(wanted)) return const_cast<char*>(text);
        if (*text == 0) return nullptr;
    }
}

char* strrchr(char const* text, int wanted) {
    char const* last = nullptr;
    for (;; ++text) {
        if (*text == static_cast<char>(wanted)) last = text;
        if (*text == 0) return const_cast<char*>(last);
    }
}

}  // extern "C"
