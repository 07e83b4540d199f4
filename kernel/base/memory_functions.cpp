// SPDX-License-Identifier: BSD-3-Clause
// The memory and string functions that the compiler may call in a freestanding build (GCC and Clang require
// memcpy, memmove, memset and memcmp), plus the few that libstdc++'s headers use.
// Compiled with -fno-builtin so that the loops are not turned into calls to themselves.
#include <cstddef>
#include <cstdint>

#include "base/isr_marks.hpp"

extern "C" {

// By each architecture (arch/memory_block.cpp), with the instructions it has for this.
void* memcpy(void* __restrict to, void const* __restrict from, size_t size);

ISR_SAFE void* memmove(void* to, void const* from, size_t size) {
    auto* d = static_cast<unsigned char*>(to);
    auto const* s = static_cast<unsigned char const*>(from);
    if (d == s || size == 0) return to;
    if (d < s || d >= s + size) return d + size <= s || s + size <= d ? memcpy(to, from, size) : [&] {
        for (size_t i = 0; i < size; ++i) d[i] = s[i];
        return to;
    }();
    while (size-- != 0) d[size] = s[size];
    return to;
}

ISR_SAFE int memcmp(void const* left, void const* right, size_t size) {
    auto const* a = static_cast<unsigned char const*>(left);
    auto const* b = static_cast<unsigned char const*>(right);
    for (size_t i = 0; i < size; ++i)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

ISR_SAFE void* memchr(void const* from, int value, size_t size) {
    auto const* s = static_cast<unsigned char const*>(from);
    for (size_t i = 0; i < size; ++i)
        if (s[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(s + i);
    return nullptr;
}

ISR_SAFE size_t strlen(char const* text) {
    size_t length = 0;
    while (text[length] != 0) ++length;
    return length;
}

ISR_SAFE int strcmp(char const* a, char const* b) {
    while (*a != 0 && *a == *b) ++a, ++b;
    return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
}

}  // extern "C"
