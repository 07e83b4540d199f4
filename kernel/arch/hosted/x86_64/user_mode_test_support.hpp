// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "arch/traps.hpp"

namespace tutti::arch {

inline constexpr bool kManyAddressSpaces = false;
inline constexpr bool kProgramsMayWriteBases = true;  // where the host has it
[[nodiscard]] inline u64 gs_base() {
    if (!hosted_has_fsgsbase) return percpu_load(percpu_base_self);
    u64 base;
    asm volatile("rdgsbaseq %0" : "=r"(base));
    return base;
}
// AC: the kernel's code runs at the privilege where it has a meaning.
[[nodiscard]] inline u64 more_flags_that_matter() { return 0x40000; }

}  // namespace tutti::arch
