// SPDX-License-Identifier: BSD-3-Clause
// System calls that turn events into files: counters, timers, signals.
#pragma once

#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_eventfd(Task& task, u32 initial);
SyscallResult sys_eventfd2(Task& task, u32 initial, u32 flags);
SyscallResult sys_timerfd_create(Task& task, i32 clock, u32 flags);
SyscallResult sys_timerfd_settime(Task& task, i32 fd, u32 flags, UserPtr<Itimerspec> value, UserPtr<Itimerspec> old);
SyscallResult sys_timerfd_gettime(Task& task, i32 fd, UserPtr<Itimerspec> value);
SyscallResult sys_signalfd(Task& task, i32 fd, UserPtr<SignalSet> mask, u64 size);
SyscallResult sys_signalfd4(Task& task, i32 fd, UserPtr<SignalSet> mask, u64 size, u32 flags);

}  // namespace tutti::linux_abi
