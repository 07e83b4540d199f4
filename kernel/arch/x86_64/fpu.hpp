// SPDX-License-Identifier: BSD-3-Clause
// Floating-point and vector state of user threads, saved and restored eagerly at each switch with XSAVE where the CPU
// has it, else FXSAVE. The kernel itself never touches these registers.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// Bytes of one state area, which is 64-byte aligned; valid after fpu_init().
[[nodiscard]] size_t fpu_area_size();
// XCR0: the state components that areas hold; 0 without XSAVE.
[[nodiscard]] u64 fpu_features();
// Finds what the CPU has (boot CPU), then enables it (each CPU).
void fpu_init();
void fpu_init_cpu();
// The state of a new program: all registers in their initial configuration.
void fpu_reset(void* area);
void fpu_save(void* area);
// A hand-made area (from a signal frame) must have passed fpu_sanitize().
void fpu_restore(void const* area);
// Makes an area that a program wrote safe to restore: reserved bits cleared, unknown components dropped.
void fpu_sanitize(void* area);

}  // namespace tutti::arch
