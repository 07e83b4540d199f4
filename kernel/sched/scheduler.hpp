// SPDX-License-Identifier: BSD-3-Clause
// Starting the scheduler, and what the boot code and statistics need of it. Threads use sched/thread.hpp.
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace tutti::sched {

// Boot CPU, once, with the heap ready and interrupts off: makes the boot context a thread named "main", creates every
// CPU's idle thread, registers timer, reschedule interrupt and exit hooks, enables interrupts and preemption.
[[nodiscard]] Result<> init();

// Each secondary CPU, interrupts off: becomes its idle thread on the stack that it runs on, goes online.
[[noreturn]] void enter_secondary();

struct CpuTimes {
    Nanoseconds busy;
    Nanoseconds idle;
};
// Since the CPU came up. Any context.
[[nodiscard]] CpuTimes cpu_times(CpuId cpu);

// Context switches of this CPU since it came up; wake-ups that it sent to other CPUs, and how many needed an interrupt;
// threads it took from others. For statistics and tests.
struct CpuCounters {
    u64 switches;
    u64 remote_wakes;
    u64 wake_interrupts;
    u64 steals;
    u64 pushes;
};
[[nodiscard]] CpuCounters cpu_counters(CpuId cpu);
// Threads that are runnable on this CPU or run there, the idle thread not counted. A look that may be old.
[[nodiscard]] u32 runnable_count(CpuId cpu);

}  // namespace tutti::sched
