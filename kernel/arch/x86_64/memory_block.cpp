// SPDX-License-Identifier: BSD-3-Clause
// memcpy and memset by the string instructions, which the CPUs of the last decade run at full cache-line width
// (ERMSB, Intel SDM vol. 1 section 7.3.9.3). The other memory functions are portable: base/memory_functions.cpp.
#include <cstddef>
#include <cstdint>

#include "base/isr_marks.hpp"

extern "C" ISR_SAFE void* memcpy(void* __restrict to, void const* __restrict from, size_t size) {
    void* destination = to;
    size_t words = size / 8;
    asm volatile("rep movsq" : "+D"(destination), "+S"(from), "+c"(words) : : "memory");
    size_t bytes = size % 8;
    asm volatile("rep movsb" : "+D"(destination), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

extern "C" ISR_SAFE void* memset(void* to, int value, size_t size) {
    void* destination = to;
    uint64_t const pattern = 0x0101010101010101u * static_cast<unsigned char>(value);
    size_t words = size / 8;
    asm volatile("rep stosq" : "+D"(destination), "+c"(words) : "a"(pattern) : "memory");
    size_t bytes = size % 8;
    asm volatile("rep stosb" : "+D"(destination), "+c"(bytes) : "a"(pattern) : "memory");
    return to;
}
