// SPDX-License-Identifier: BSD-3-Clause
// Starting the threads of a program: the first one, and those that clone makes.
#pragma once

#include "arch/trap_frame.hpp"
#include "base/result.hpp"
#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

class Process;

struct SpawnOptions {
    u64 stack_pointer = 0;    // 0: the parent's
    bool set_tls = false;
    u64 tls = 0;
    u64 parent_tid = 0;       // user addresses that receive the new number; 0: none
    u64 child_tid = 0;
    u64 clear_child_tid = 0;
};

// A thread that continues where `frame` is, with 0 as the result of the call; returns its number. Errors: NoMemory,
// WouldBlock (too many threads), BadAddress, Interrupted (the process is ending).
Result<i32> spawn_thread(Task& parent, arch::TrapFrame const& frame, SpawnOptions const& options);

// The first thread of `process`, started at `entry` with `stack_pointer`.
Result<> spawn_first_thread(Process& process, std::string_view name, VirtAddr entry, VirtAddr stack_pointer);

}  // namespace tutti::linux_abi
