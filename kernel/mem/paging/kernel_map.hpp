// SPDX-License-Identifier: BSD-3-Clause
// Kernel addresses outside the direct map: the pages of guarded stacks (mem/stack), and device registers.
//
// Address ranges are handed out once and never unmapped: stacks are kept for the next thread, devices stay. So no
// kernel mapping ever needs a TLB shootdown, and a stack is ready without touching page tables.
// Context: up to NoPreempt; never blocks.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::mem {

// Boot CPU, after frame_init().
void kernel_map_init();

// Maps device registers, uncached, for good. Any alignment; Error::NoMemory.
[[nodiscard]] Result<void*> map_device(PhysAddr address, u64 size);

}  // namespace tutti::mem
