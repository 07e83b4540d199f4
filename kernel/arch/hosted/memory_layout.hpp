// SPDX-License-Identifier: BSD-3-Clause
// Where a process has what the kernel has in its half of the address space. The places are free in a process that is
// linked to fixed addresses, and are application memory to ThreadSanitizer and AddressSanitizer.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

inline constexpr u64 kDirectMapBase = 0x5800'0000'0000;  // RAM: one mapping of the process
inline constexpr u64 kKernelMapBase = 0x5900'0000'0000;  // guarded stacks
inline constexpr u64 kKernelMapEnd = 0x5980'0000'0000;
inline constexpr u64 kKernelStacksEnd = kKernelMapEnd;   // no devices
// Room for several signal frames with wide vector registers, and for what sanitizers add to each function's frame.
inline constexpr u64 kKernelStackSize = 256 << 10;

[[nodiscard]] constexpr bool is_kernel_address(u64 address) { return address >= kPageSize && address >> 47 == 0; }

// RAM only.
template <class T = void>
[[nodiscard]] inline T* phys_to_virt(PhysAddr address) {
    return reinterpret_cast<T*>(kDirectMapBase + address.value());
}
// Addresses of the direct map; others give a physical address that no RAM has.
[[nodiscard]] inline PhysAddr virt_to_phys(void const* pointer) {
    return PhysAddr{reinterpret_cast<u64>(pointer) - kDirectMapBase};
}

}  // namespace tutti::arch
