// SPDX-License-Identifier: BSD-3-Clause
// The page tables that the CPU walks, and its translation cache.
#pragma once

#include "arch/cpu.hpp"
#include "arch/x86_64/page_entry.hpp"

namespace tutti::arch {

// Top-level entries from here on are the kernel's, shared by all address spaces.
inline constexpr unsigned kFirstKernelEntry = 256;

ALWAYS_INLINE void load_root(PhysAddr root) { write_cr3(root.value()); }
// No program's addresses: the kernel's own root.
ALWAYS_INLINE void load_kernel_root(PhysAddr kernel_root) { load_root(kernel_root); }
[[nodiscard]] ALWAYS_INLINE PhysAddr current_root() { return PhysAddr{read_cr3() & PageEntry::kAddressMask}; }
// After entries that were not present before: the walks of this CPU find them without more ado (SDM vol. 3, 4.10.2.3).
ALWAYS_INLINE void publish_entries() {}
// On this CPU only.
ALWAYS_INLINE void flush_page(u64 address) { asm volatile("invlpg (%0)" ::"r"(address) : "memory"); }
// Drops translations of user addresses [from, to), on this CPU only.
inline constexpr bool kFlushReachesAllCpus = false;
ALWAYS_INLINE void flush_range(u64 from, u64 to) {
    // Beyond this many pages, dropping all of them is cheaper than dropping them one by one.
    constexpr u64 kMaxSinglePages = 32;
    if ((to - from) >> kPageShift > kMaxSinglePages) {
        write_cr3(read_cr3());
        return;
    }
    for (u64 page = from; page < to; page += kPageSize) flush_page(page);
}

}  // namespace tutti::arch
