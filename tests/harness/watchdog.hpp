// SPDX-License-Identifier: BSD-3-Clause
// The limit of the running case, watched from two sides: by the thread that waits for the case (wait_for_case() in
// run.cpp), and by a timer on every CPU, for cases that keep that thread from running. What neither can see, every CPU
// stuck with interrupts off, tools/run-tap sees as silence.
#pragma once

#include <string_view>

#include "base/types.hpp"

namespace tutti::harness {

// Starts the timers. Thread context, all CPUs up.
void watchdog_init();
// The case that runs now (`name` stays valid) and until when it may; kNever: none runs.
void watchdog_watch(std::string_view name, Nanoseconds limit, Deadline deadline);
// Ends the run with a report of every CPU. Up to Isr context.
[[noreturn]] void give_up(std::string_view name, Nanoseconds limit);

}  // namespace tutti::harness
