// SPDX-License-Identifier: BSD-3-Clause
// System calls about who the process is: numbers, users, groups, sessions, capabilities. Everything runs as root;
// there is one process and one session.
#pragma once

#include "linux_abi/abi/system.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_getpid(Task& task);
SyscallResult sys_getppid(Task& task);
SyscallResult sys_gettid(Task& task);
SyscallResult sys_getuid(Task& task);  // and geteuid, getgid, getegid
SyscallResult sys_setuid(Task& task, u32 id);  // and setgid
SyscallResult sys_setreuid(Task& task, u32 real, u32 effective);  // and setregid
SyscallResult sys_setresuid(Task& task, u32 real, u32 effective, u32 saved);  // and setresgid
SyscallResult sys_getresuid(Task& task, UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved);  // and gid
SyscallResult sys_setfsuid(Task& task, u32 id);  // and setfsgid
SyscallResult sys_getgroups(Task& task, i32 size, UserPtr<u32> list);
SyscallResult sys_setgroups(Task& task, u64 size, UserPtr<u32> list);
SyscallResult sys_getpgid(Task& task, i32 pid);
SyscallResult sys_getpgrp(Task& task);
SyscallResult sys_setpgid(Task& task, i32 pid, i32 group);
SyscallResult sys_getsid(Task& task, i32 pid);
SyscallResult sys_setsid(Task& task);
SyscallResult sys_capget(Task& task, UserPtr<CapHeader> header, UserPtr<CapData> data);
SyscallResult sys_capset(Task& task, UserPtr<CapHeader> header, UserPtr<CapData> data);

}  // namespace tutti::linux_abi
