// SPDX-License-Identifier: BSD-3-Clause
// The only functions that touch memory of the user half, and a probe of kernel addresses. Every faulting instruction in
// them is in the exception table, so that a bad address is a return value. They do not check that an address lies in
// the user half: vm/user_copy.hpp does.
#pragma once

#include "arch/cpu.hpp"
#include "base/types.hpp"

extern "C" {
// Copies `size` bytes between the halves; returns the number of bytes NOT copied.
tutti::u64 user_copy_raw(void* to, void const* from, tutti::u64 size);
tutti::u64 user_zero_raw(void* to, tutti::u64 size);
// Each returns 0, or 1 when the address cannot be accessed. Naturally aligned addresses only.
tutti::u64 user_load32_raw(tutti::u32 const* from, tutti::u32* value);
tutti::u64 user_store32_raw(tutti::u32* to, tutti::u32 value);
// Sequentially consistent; *seen gets the value found, which is `expected` exactly when the exchange happened.
tutti::u64 user_compare_exchange32_raw(tutti::u32* at, tutti::u32 expected, tutti::u32 desired, tutti::u32* seen);
// Copies a kernel-half range that may be unmapped (backtraces); returns the number of bytes not copied.
tutti::u64 kernel_probe_raw(void* to, void const* from, tutti::u64 size);
// Arm semihosting; returns ~0 where nobody serves it (the instruction is undefined then).
tutti::u64 semihosting_call(tutti::u64 operation, void const* arguments);
}

namespace tutti::arch {

// The fix-up address for a fault at `address`, or 0.
[[nodiscard]] u64 find_fixup(u64 address);

// True while privileged code may not touch user memory, or the CPU cannot forbid it.
[[nodiscard]] inline bool user_memory_is_closed() { return !has_pan() || read_pan(); }

inline u64 copy_probe(void* to, u64 from, u64 size) {
    return kernel_probe_raw(to, reinterpret_cast<void const*>(from), size);
}

}  // namespace tutti::arch
