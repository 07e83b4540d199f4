// SPDX-License-Identifier: BSD-3-Clause
// Instructions that a kernel dies of, for crashes on purpose.
#pragma once

#include "base/compiler.hpp"

namespace tutti::arch {

// In assembly: a compiler may assume that no division is by zero.
ALWAYS_INLINE void divide_by_zero() { asm volatile("idivl %0" ::"r"(0), "a"(1), "d"(0) : "cc"); }
ALWAYS_INLINE void undefined_instruction() { asm volatile("ud2"); }
// The bytes of a function that returns at once.
inline constexpr unsigned char kReturnCode[] = {0xc3};
ALWAYS_INLINE void call_code(void const* code) { asm volatile("call *%0" ::"r"(code) : "memory"); }

}  // namespace tutti::arch
