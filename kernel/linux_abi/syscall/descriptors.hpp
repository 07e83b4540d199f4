// SPDX-License-Identifier: BSD-3-Clause
// System calls that make, copy, close and configure file descriptors.
#pragma once

#include "linux_abi/abi/file.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_open(Task& task, UserPtr<char> path, u32 flags, u32 mode);
SyscallResult sys_openat(Task& task, i32 directory, UserPtr<char> path, u32 flags, u32 mode);
SyscallResult sys_openat2(Task& task, i32 directory, UserPtr<char> path, UserPtr<OpenHow> how, u64 size);
SyscallResult sys_creat(Task& task, UserPtr<char> path, u32 mode);
SyscallResult sys_close(Task& task, i32 fd);
SyscallResult sys_close_range(Task& task, u32 first, u32 last, u32 flags);
SyscallResult sys_dup(Task& task, i32 fd);
SyscallResult sys_dup2(Task& task, i32 old_fd, i32 new_fd);
SyscallResult sys_dup3(Task& task, i32 old_fd, i32 new_fd, u32 flags);
SyscallResult sys_fcntl(Task& task, i32 fd, i32 command, u64 argument);
SyscallResult sys_ioctl(Task& task, i32 fd, u32 command, u64 argument);
SyscallResult sys_flock(Task& task, i32 fd, i32 operation);
SyscallResult sys_pipe(Task& task, UserPtr<i32> fds);
SyscallResult sys_pipe2(Task& task, UserPtr<i32> fds, u32 flags);
SyscallResult sys_memfd_create(Task& task, UserPtr<char> name, u32 flags);

}  // namespace tutti::linux_abi
