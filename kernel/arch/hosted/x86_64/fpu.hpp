// SPDX-License-Identifier: BSD-3-Clause
// Floating-point and vector state of programs. Linux saves it in the signal's frame; from there it goes to an area of the
// CPU, from which the way back to the program loads it. That area is the program's registers as far as the kernel can see:
// the kernel's own code uses the real ones.
#pragma once

#include "arch/x86_64/fpu.hpp"

extern "C" {
extern tutti::u64 hosted_user_fpu;  // per-CPU: the address of the area
}

namespace tutti::arch {

// A state area of Linux's (standard XSAVE format), as far as it has components that areas hold. No context but the CPU's own.
void fpu_copy(void* to, void const* from);

}  // namespace tutti::arch
