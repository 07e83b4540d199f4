// SPDX-License-Identifier: BSD-3-Clause
// Instructions that a kernel dies of, for crashes on purpose.
#pragma once

#include "base/compiler.hpp"

namespace tutti::arch {

// Divisions do not trap on this architecture (the result is 0): the breakpoint is what compilers put after a check.
ALWAYS_INLINE void divide_by_zero() { asm volatile("brk #1"); }
ALWAYS_INLINE void undefined_instruction() { asm volatile("udf #0"); }
// The bytes of a function that returns at once.
inline constexpr unsigned char kReturnCode[] = {0xc0, 0x03, 0x5f, 0xd6};
ALWAYS_INLINE void call_code(void const* code) { asm volatile("blr %0" ::"r"(code) : "x30", "memory"); }

}  // namespace tutti::arch
