// SPDX-License-Identifier: BSD-3-Clause
// System calls that make, name and connect sockets.
#pragma once

#include "linux_abi/process/task.hpp"
#include "linux_abi/syscall/result.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

SyscallResult sys_socket(Task& task, i32 domain, i32 type, i32 protocol);
SyscallResult sys_socketpair(Task& task, i32 domain, i32 type, i32 protocol, UserPtr<i32> fds);
SyscallResult sys_bind(Task& task, i32 fd, UserPtr<u8> address, u32 length);
SyscallResult sys_listen(Task& task, i32 fd, i32 backlog);
SyscallResult sys_accept(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length);
SyscallResult sys_accept4(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length, i32 flags);
SyscallResult sys_connect(Task& task, i32 fd, UserPtr<u8> address, u32 length);
SyscallResult sys_getsockname(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length);
SyscallResult sys_getpeername(Task& task, i32 fd, UserPtr<u8> address, UserPtr<u32> length);
SyscallResult sys_shutdown(Task& task, i32 fd, i32 how);

}  // namespace tutti::linux_abi
