// SPDX-License-Identifier: BSD-3-Clause
// Where the process has what a machine has in the kernel's half of the address space. Linux puts nothing there by itself
// unless it is told to, and to ThreadSanitizer and AddressSanitizer it is application memory.
//
//   0x0000'0001'0000  the program's
//   0x7a00'0000'0000  kUserEnd
//   0x7a80'0000'0000  direct map: all RAM
//   0x7b00'0000'0000  guarded stacks
//   0x7c00'0000'0000  the kernel's image, where programs can run (cmake/linuxu.cmake)
//   0x7d00'0000'0000  what else the kernel has from the host (host_memory.cpp)
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

inline constexpr u64 kUserEnd = 0x7a00'0000'0000;        // first address a program cannot have
inline constexpr u64 kDirectMapBase = 0x7a80'0000'0000;  // RAM: one mapping of the process
inline constexpr u64 kKernelMapBase = 0x7b00'0000'0000;  // guarded stacks
inline constexpr u64 kKernelMapEnd = 0x7b80'0000'0000;
inline constexpr u64 kKernelStacksEnd = kKernelMapEnd;   // no devices
inline constexpr u64 kHostMemoryBase = 0x7d00'0000'0000;
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
