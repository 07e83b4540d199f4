// SPDX-License-Identifier: BSD-3-Clause
// The thread that runs here: one per-CPU load, inline for the fast paths of the blocking locks.
#pragma once

#include "base/assert.hpp"
#include "smp/context/wake_path.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::sched {

class Thread;

namespace detail {
extern smp::PerCpu<Thread*> current_thread;  // written by the dispatcher only
}

// Null before the scheduler runs on this CPU.
[[nodiscard]] inline Thread* current_or_null() { return detail::current_thread.load(); }
// The thread that runs this. After sched::init().
[[nodiscard]] inline Thread& current() {
    Thread* const thread = current_or_null();
    ASSERT(thread != nullptr, "no thread here yet");
    return *thread;
}

}  // namespace tutti::sched
