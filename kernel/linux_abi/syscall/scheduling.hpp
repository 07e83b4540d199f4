// SPDX-License-Identifier: BSD-3-Clause
// System calls about scheduling: yield, affinity, policies and priorities.
#pragma once

#include "linux_abi/abi/thread.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_sched_yield(Task& task);
SyscallResult sys_sched_setaffinity(Task& task, i32 tid, u32 size, UserPtr<u8> mask);
SyscallResult sys_sched_getaffinity(Task& task, i32 tid, u32 size, UserPtr<u8> mask);
SyscallResult sys_sched_setscheduler(Task& task, i32 tid, i32 policy, UserPtr<SchedParam> param);
SyscallResult sys_sched_getscheduler(Task& task, i32 tid);
SyscallResult sys_sched_setparam(Task& task, i32 tid, UserPtr<SchedParam> param);
SyscallResult sys_sched_getparam(Task& task, i32 tid, UserPtr<SchedParam> param);
SyscallResult sys_sched_get_priority_max(Task& task, i32 policy);
SyscallResult sys_sched_get_priority_min(Task& task, i32 policy);
SyscallResult sys_sched_rr_get_interval(Task& task, i32 tid, UserPtr<Timespec> interval);
SyscallResult sys_sched_setattr(Task& task, i32 tid, UserPtr<SchedAttr> attr, u32 flags);
SyscallResult sys_sched_getattr(Task& task, i32 tid, UserPtr<SchedAttr> attr, u32 size, u32 flags);
SyscallResult sys_getpriority(Task& task, i32 which, i32 who);
SyscallResult sys_setpriority(Task& task, i32 which, i32 who, i32 nice);
SyscallResult sys_getcpu(Task& task, UserPtr<u32> cpu, UserPtr<u32> node, u64 unused);
SyscallResult sys_ioprio_get(Task& task, i32 which, i32 who);
SyscallResult sys_ioprio_set(Task& task, i32 which, i32 who, i32 priority);

}  // namespace tutti::linux_abi
