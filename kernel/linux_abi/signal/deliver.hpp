// SPDX-License-Identifier: BSD-3-Clause
// Taking signals on the way back to the program.
#pragma once

#include "arch/trap_frame.hpp"

namespace tutti::linux_abi {

class Task;

// Registered as the return-to-user hook: runs with interrupts on, before every return to the program for which the
// thread's work flag is set. Does not return when the process ends.
void return_to_user(arch::TrapFrame& frame);

// Runs the actions of all signals that the current task can take now: builds handler frames, stops or ends the
// process, and decides whether an interrupted system call restarts.
void deliver_signals(Task& task, arch::TrapFrame& frame);

}  // namespace tutti::linux_abi
