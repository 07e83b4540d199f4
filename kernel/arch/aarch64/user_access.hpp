// SPDX-License-Identifier: BSD-3-Clause
// Instructions that may fault: each is in the exception table, so that a fault is a return value.
#pragma once

#include "base/types.hpp"

extern "C" {
// Copies a kernel-half range that may be unmapped (backtraces); returns the number of bytes not copied.
tutti::u64 kernel_probe_raw(void* to, void const* from, tutti::u64 size);
// Arm semihosting; returns ~0 where nobody serves it (the instruction is undefined then).
tutti::u64 semihosting_call(tutti::u64 operation, void const* arguments);
}

namespace tutti::arch {

// The fix-up address for a fault at `address`, or 0.
[[nodiscard]] u64 find_fixup(u64 address);

inline u64 copy_probe(void* to, u64 from, u64 size) {
    return kernel_probe_raw(to, reinterpret_cast<void const*>(from), size);
}

}  // namespace tutti::arch
