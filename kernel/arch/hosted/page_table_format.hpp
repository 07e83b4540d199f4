// SPDX-License-Identifier: BSD-3-Clause
// Page tables that no CPU walks: the trap code does, and maps what it finds from the file that is RAM (host_tlb.hpp).
#pragma once

#include "arch/host_tlb.hpp"
#include "arch/x86_64/page_entry.hpp"

namespace tutti::arch {

// The kernel has no entries: its addresses are not in the tables.
inline constexpr unsigned kFirstKernelEntry = kEntriesPerTable;

inline void load_root(PhysAddr root) { host_tlb_load(root); }
inline void load_kernel_root(PhysAddr) { host_tlb_load(PhysAddr{}); }
[[nodiscard]] inline PhysAddr current_root() { return host_tlb_root(); }

// Whoever fills finds new entries.
inline void publish_entries() {}
// A translation that allows less than the entry is replaced when it faults, and nobody calls this for another reason.
inline void flush_page(u64) {}
// The mappings are those of all CPUs.
inline constexpr bool kFlushReachesAllCpus = true;
inline void flush_range(u64 from, u64 to) { host_tlb_flush(from, to); }

}  // namespace tutti::arch
