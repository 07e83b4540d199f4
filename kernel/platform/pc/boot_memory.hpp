// SPDX-License-Identifier: BSD-3-Clause
// Memory before the frame allocator exists: where boot allocations come from, and the final kernel page tables.
#pragma once

#include "base/types.hpp"
#include "platform/pc/start_info.hpp"

namespace tutti::platform {

// Chooses where boot allocations come from: RAM outside the image, the initrd and the hand-over structures.
void boot_memory_init(StartInfo const& info);

// Builds and loads the kernel's page tables: direct map of all RAM, image with W^X. The lower half is empty.
void kernel_tables_init(StartInfo const& info);
// The top-level table, for secondary CPUs and for mem/paging to take over.
[[nodiscard]] PhysAddr kernel_root();
// A top-level table below 4 GiB that shares the kernel's half and also maps the first 2 MiB one to one, read-only:
// secondary CPUs turn paging on with it and leave it as soon as they run in the upper half.
[[nodiscard]] PhysAddr prepare_startup_root();
// A stack of `size` bytes with an unmapped page below it; its top. After kernel_tables_init().
[[nodiscard]] void* boot_stack(u64 size);
// Device registers, uncached, in the direct map's address for it. Boot only (interrupt controllers); drivers map
// theirs through mem/paging.
[[nodiscard]] void* boot_map_device(PhysAddr address, u64 size);

}  // namespace tutti::platform
