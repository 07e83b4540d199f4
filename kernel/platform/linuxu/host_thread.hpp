// SPDX-License-Identifier: BSD-3-Clause
// Threads of the process. Where programs run, the process has no C library: its thread pointer is theirs.
#pragma once

#include "arch/cpu.hpp"
#include "base/types.hpp"

namespace tutti::platform {

#if TUTTI_HOSTED_LIBC
inline constexpr bool kRunsPrograms = false;
#else
inline constexpr bool kRunsPrograms = arch::kUserPrograms;

// entry(argument) in a new thread, which does not return from it. 0, or the number of an error.
[[nodiscard]] int start_host_thread(u64 stack_size, void* (*entry)(void*), void* argument);
// The same for a thread that is no CPU, and waits for the host in the place of one: it gets no signals, has no per-CPU data
// (so no log, no panic, no guards), and speaks to CPUs through lock-free structures and raise_interrupt().
[[nodiscard]] int start_helper_thread(void* (*entry)(void*), void* argument);
#endif

}  // namespace tutti::platform
