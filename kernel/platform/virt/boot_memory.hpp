// SPDX-License-Identifier: BSD-3-Clause
// Memory before the frame allocator exists: the boot window, where boot allocations come from, and the final kernel
// translation tables.
#pragma once

#include <span>

#include "base/types.hpp"
#include "platform/virt/device_tree.hpp"

namespace tutti::platform {

// Two blocks of 2 MiB from the one that holds `address` on, in the boot window, at kBootWindow; null when no MMU reaches it.
[[nodiscard]] u8 const* map_in_boot_window(PhysAddr address);

// Chooses where boot allocations come from: RAM outside the image, the archive, the tree and what the tree reserves.
void boot_memory_init(DeviceTree const& tree, PhysRange blob);

// Builds and loads the kernel's translation tables: direct map of all RAM, image with W^X. The lower half is empty, and
// the boot window is gone.
void kernel_tables_init(std::span<PhysRange const> ram);
[[nodiscard]] PhysAddr kernel_root();
// The lower half of a CPU that runs no program.
void leave_startup_tables();
// A stack of `size` bytes with an unmapped page below it; its top. After kernel_tables_init().
[[nodiscard]] void* boot_stack(u64 size);
// Device registers, at the direct map's address for them. Boot only; drivers map theirs through mem/paging.
[[nodiscard]] void* boot_map_device(PhysAddr address, u64 size);

}  // namespace tutti::platform
