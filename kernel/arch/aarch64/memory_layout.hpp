// SPDX-License-Identifier: BSD-3-Clause
// The kernel's half of the address space (TTBR1), and how RAM is reached in it.
//
//   0xffff'0000'0000'0000  direct map: all RAM, writable, never executable; device registers that boot needs
//   0xffff'c000'0000'0000  kernel mappings made at run time: guarded stacks, device registers (mem/paging)
//   0xffff'c100'0000'0000  stacks made during boot, guarded
//   0xffff'ffff'8000'0000  kernel image, wherever the boot loader put it: text read-only and executable, the rest never
//                          executable
//   0xffff'ffff'c000'0000  during boot only: the device tree and the console
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

inline constexpr u64 kUserEnd = 0x0000'ffff'ffff'f000;  // first address a program cannot have
inline constexpr u64 kDirectMapBase = 0xffff'0000'0000'0000;
inline constexpr u64 kDirectMapSize = 0x0000'8000'0000'0000;
inline constexpr u64 kKernelMapBase = 0xffff'c000'0000'0000;
inline constexpr u64 kKernelMapEnd = 0xffff'c100'0000'0000;
inline constexpr u64 kKernelStacksEnd = kKernelMapBase + (kKernelMapEnd - kKernelMapBase) / 2;  // from here: devices
inline constexpr u64 kKernelStackSize = 16384;
inline constexpr u64 kBootStacksBase = kKernelMapEnd;
inline constexpr u64 kKernelImageBase = 0xffff'ffff'8000'0000;
inline constexpr u64 kBootWindow = 0xffff'ffff'c000'0000;

[[nodiscard]] constexpr bool is_kernel_address(u64 address) { return address >> 48 == 0xffff; }

}  // namespace tutti::arch

// Physical address of the image's first byte; written once, by the entry code.
extern "C" tutti::u64 kernel_image_physical;

namespace tutti::arch {

// RAM only.
template <class T = void>
[[nodiscard]] inline T* phys_to_virt(PhysAddr address) {
    return reinterpret_cast<T*>(kDirectMapBase + address.value());
}
// Addresses of the direct map and of the kernel image.
[[nodiscard]] inline PhysAddr virt_to_phys(void const* pointer) {
    u64 const address = reinterpret_cast<u64>(pointer);
    return PhysAddr{address >= kKernelImageBase ? address - kKernelImageBase + kernel_image_physical
                                                : address - kDirectMapBase};
}

}  // namespace tutti::arch
