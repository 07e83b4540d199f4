// SPDX-License-Identifier: BSD-3-Clause
// System calls that read clocks and sleep.
#pragma once

#include "linux_abi/abi/system.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_clock_gettime(Task& task, i32 clock, UserPtr<Timespec> time);
SyscallResult sys_clock_getres(Task& task, i32 clock, UserPtr<Timespec> resolution);
SyscallResult sys_clock_settime(Task& task, i32 clock, UserPtr<Timespec> time);
SyscallResult sys_clock_nanosleep(Task& task, i32 clock, i32 flags, UserPtr<Timespec> request, UserPtr<Timespec> left);
SyscallResult sys_nanosleep(Task& task, UserPtr<Timespec> request, UserPtr<Timespec> left);
SyscallResult sys_gettimeofday(Task& task, UserPtr<Timeval> time, UserPtr<Timezone> zone);
SyscallResult sys_settimeofday(Task& task, UserPtr<Timeval> time, UserPtr<Timezone> zone);
SyscallResult sys_time(Task& task, UserPtr<i64> time);
SyscallResult sys_times(Task& task, UserPtr<Tms> times);
SyscallResult sys_getrusage(Task& task, i32 who, UserPtr<Rusage> usage);

}  // namespace tutti::linux_abi
