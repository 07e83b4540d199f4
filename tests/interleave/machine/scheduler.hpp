// SPDX-License-Identifier: BSD-3-Clause
// The whole scheduler on the simulated machine: real threads that are switched, moved and preempted, idle loops, timers.
// Too large to exhaust: for programs that sample. Not together with machine/threads.hpp.
#pragma once

#include "engine/interleave.hpp"

namespace tutti::interleave {

// Boots `cpus` CPUs and runs main() in the first thread; the program ends when it returns. The whole machine asleep before
// is a lost wake-up.
[[noreturn]] void run_scheduler(unsigned cpus, void (*main)());

}  // namespace tutti::interleave
