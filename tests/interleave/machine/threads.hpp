// SPDX-License-Identifier: BSD-3-Clause
// Threads for programs about waiting: one real sched::Thread on each simulated CPU, with the real unpark(), WaitQueue,
// Mutex and timers. Only switching is replaced: a CPU whose thread parks does nothing until the thread is placed again.
#pragma once

#include "engine/interleave.hpp"

namespace tutti::sched {
class Thread;
}

namespace tutti::interleave {

// Makes a thread for each of `count` CPUs. Before run_on_cpus().
void start_threads(unsigned count);
[[nodiscard]] sched::Thread& machine_thread(unsigned cpu);
// Whether the way out of the kernel on `cpu` would find work.
[[nodiscard]] bool has_return_work(unsigned cpu);
// Interrupts the wait of the thread of `cpu`, as a signal does.
void interrupt_thread(unsigned cpu);

}  // namespace tutti::interleave
