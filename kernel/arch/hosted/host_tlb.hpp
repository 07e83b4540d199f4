// SPDX-License-Identifier: BSD-3-Clause
// The process's mappings below kUserEnd as the translation cache of the kernel's page tables: filled page by page when a
// program faults, dropped by flushes, and wholly when Linux gives no more of them (vm.max_map_count).
//
// All CPUs share the mappings, so they are of one page table at a time: that of the CPU that loaded or filled last. CPUs
// that run programs of different address spaces at the same moment would see each other's memory: there is one program.
//
// No stale translation stays. A fill reads the entry and maps the page under the lock; a flusher changes entries first and
// unmaps under the lock: either the fill saw the change, or the flush comes after the mapping.
#pragma once

#include "base/types.hpp"

namespace tutti::arch {

// RAM is this file, from offset 0 at physical address 0. Once, at boot.
void host_tlb_init(int ram_file);

// What this CPU runs on; null for nothing. Up to Isr context.
void host_tlb_load(PhysAddr root);
[[nodiscard]] PhysAddr host_tlb_root();

enum class HostAccess : u8 { Read, Write, Execute };
// Maps the page at `address` if this CPU's table allows the access: then the access may be tried again. Any context.
[[nodiscard]] bool host_tlb_fill(u64 address, HostAccess access);
// True when this CPU's table has a translation there, whatever it allows.
[[nodiscard]] bool host_tlb_is_present(u64 address);
// Up to Isr context.
void host_tlb_flush(u64 from, u64 to);
// Gives all its mappings back to the process. Any context.
void host_tlb_drop();

}  // namespace tutti::arch
