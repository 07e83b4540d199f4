// SPDX-License-Identifier: BSD-3-Clause
// Where a woken thread runs, and which CPUs have something to give away.
//
// Two bitmaps over all CPUs, one word for 64: the idle CPUs, and those with threads waiting. A waker claims an idle CPU by
// clearing its bit, so that two wakers do not choose the same one. The idle loop sets the bit again whenever it looks for
// work and finds it clear. Scans start near the CPU that asks, so that different CPUs begin in different places.
#pragma once

#include "base/result.hpp"
#include "sched/thread.hpp"

namespace tutti::sched {

[[nodiscard]] Result<> placement_init();

// The CPU for a thread that has just become runnable. An idle CPU that it returns is claimed.
[[nodiscard]] CpuId choose_cpu(Thread const& thread, CpuId self);

void mark_idle(CpuId cpu);
void mark_busy(CpuId cpu);
[[nodiscard]] bool is_marked_idle(CpuId cpu);
// An idle CPU other than `self` that may run `thread`, claimed; cpu_count() when there is none.
[[nodiscard]] CpuId claim_idle_for(Thread const& thread, CpuId near);

void mark_overloaded(CpuId cpu);
void clear_overloaded(CpuId cpu);
// The first CPU after `start` that may have threads to give; cpu_count() when there is none. `scanned` counts the distance.
[[nodiscard]] CpuId next_overloaded(u32 start);
[[nodiscard]] bool any_overloaded();

}  // namespace tutti::sched
