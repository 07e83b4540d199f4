// SPDX-License-Identifier: BSD-3-Clause
// System calls about timers that send signals.
#pragma once

#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_timer_create(Task& task, i32 clock, UserPtr<SigEvent> event, UserPtr<i32> id);
SyscallResult sys_timer_settime(Task& task, i32 id, i32 flags, UserPtr<Itimerspec> value, UserPtr<Itimerspec> old);
SyscallResult sys_timer_gettime(Task& task, i32 id, UserPtr<Itimerspec> value);
SyscallResult sys_timer_getoverrun(Task& task, i32 id);
SyscallResult sys_timer_delete(Task& task, i32 id);
SyscallResult sys_setitimer(Task& task, i32 which, UserPtr<Itimerval> value, UserPtr<Itimerval> old);
SyscallResult sys_getitimer(Task& task, i32 which, UserPtr<Itimerval> value);
SyscallResult sys_alarm(Task& task, u32 seconds);

}  // namespace tutti::linux_abi
