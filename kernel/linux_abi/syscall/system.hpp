// SPDX-License-Identifier: BSD-3-Clause
// System calls about the machine and the process's limits and attributes.
#pragma once

#include "linux_abi/abi/system.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_uname(Task& task, UserPtr<Utsname> name);
SyscallResult sys_sysinfo(Task& task, UserPtr<SysInfo> info);
SyscallResult sys_getrandom(Task& task, UserPtr<u8> buffer, u64 size, u32 flags);
SyscallResult sys_prctl(Task& task, i32 option, u64 arg2, u64 arg3, u64 arg4, u64 arg5);
SyscallResult sys_personality(Task& task, u64 persona);
SyscallResult sys_getrlimit(Task& task, u32 resource, UserPtr<Rlimit> limit);
SyscallResult sys_setrlimit(Task& task, u32 resource, UserPtr<Rlimit> limit);
SyscallResult sys_prlimit64(Task& task, i32 pid, u32 resource, UserPtr<Rlimit> limit, UserPtr<Rlimit> old);
SyscallResult sys_sethostname(Task& task, UserPtr<char> name, u64 size);
SyscallResult sys_setdomainname(Task& task, UserPtr<char> name, u64 size);
SyscallResult sys_wait4(Task& task, i32 pid, UserPtr<i32> status, i32 options, UserPtr<Rusage> usage);
SyscallResult sys_waitid(Task& task, i32 kind, i32 id, u64 info, i32 options, UserPtr<Rusage> usage);
SyscallResult sys_membarrier(Task& task, i32 command, u32 flags, i32 cpu);
SyscallResult sys_rseq(Task& task, u64 area, u32 length, i32 flags, u32 signature);
SyscallResult sys_syslog(Task& task, i32 type, u64 buffer, i32 size);

}  // namespace tutti::linux_abi
