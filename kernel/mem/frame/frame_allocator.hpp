// SPDX-License-Identifier: BSD-3-Clause
// Physical memory for everybody: single frames from per-CPU caches, blocks from the buddy behind them.
//
// Every function may be called in any context up to Isr; none blocks or faults.
#pragma once

#include "base/result.hpp"
#include "mem/frame/frame.hpp"

namespace tutti::mem {

// Takes over all RAM of hal::boot_info() that is not reserved; boot CPU, once. The descriptors themselves are carved
// from it.
void frame_init();
// Frees RAM that was reserved during boot (an initrd that has been unpacked). Whole frames inside the range only.
void release_boot_memory(PhysRange range);
// Turns reserved frames (initrd data) into allocated ones with one reference each, so that they can be mapped and freed
// like any other. Page-aligned.
void adopt_boot_frames(PhysRange range);

enum class FrameFill : u8 { Undefined, Zero };

// One frame with one reference. Error::NoMemory.
[[nodiscard]] Result<FrameRef> allocate_frame(FrameFill fill = FrameFill::Undefined);
// 2^order frames, physically contiguous and aligned to their size, freed as one block.
[[nodiscard]] Result<FrameRef> allocate_frames(unsigned order, FrameFill fill = FrameFill::Undefined);

struct FrameStatistics {
    u64 total = 0;  // frames under management
    u64 free = 0;   // in the buddy and in per-CPU caches
};
// A snapshot that may be off by what is in flight on other CPUs.
[[nodiscard]] FrameStatistics frame_statistics();

// Makes every n-th allocation on any CPU fail (0: none), for tests of out-of-memory paths. Debug builds only.
void set_allocation_fault_period(u32 every_nth);

void zero_page(void* page);
void copy_page(void* to, void const* from);

}  // namespace tutti::mem
