// SPDX-License-Identifier: BSD-3-Clause
// What user_mode_test.cpp asks of the machine below it.
#pragma once

#include "arch/cpu.hpp"

namespace tutti::arch {

// CPUs may be in different address spaces at the same moment.
inline constexpr bool kManyAddressSpaces = true;
inline constexpr bool kProgramsMayWriteBases = false;
[[nodiscard]] inline u64 gs_base() { return read_msr(kMsrGsBase); }
// AC: of no meaning in ring 0 without SMAP.
[[nodiscard]] inline u64 more_flags_that_matter() { return (read_cr4() & kCr4Smap) != 0 ? 0x40000 : 0; }

}  // namespace tutti::arch
