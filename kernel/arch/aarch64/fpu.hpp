// SPDX-License-Identifier: BSD-3-Clause
// Floating-point and SIMD state of user threads: V0 to V31, FPCR, FPSR, saved and restored eagerly at each switch. The
// kernel itself never touches these registers. SVE is not offered to programs.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Bytes of one state area, which is 64-byte aligned. It is the record of a Linux signal frame: 8 bytes free for the head,
// FPSR, FPCR, the registers.
[[nodiscard]] size_t fpu_area_size();
// The state of a new program: all registers in their initial configuration.
void fpu_reset(void* area);
void fpu_save(void* area);
// A hand-made area (from a signal frame) must have passed fpu_sanitize().
void fpu_restore(void const* area);
// Makes an area that a program wrote safe to restore: reserved bits cleared.
void fpu_sanitize(void* area);

}  // namespace tutti::arch
