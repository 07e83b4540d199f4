// SPDX-License-Identifier: BSD-3-Clause
// System calls that send and receive on sockets.
#pragma once

#include "linux_abi/abi/socket.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/syscall/result.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

SyscallResult sys_sendto(Task& task, i32 fd, u64 buffer, u64 size, u32 flags, UserPtr<u8> address, u32 length);
SyscallResult sys_recvfrom(Task& task, i32 fd, u64 buffer, u64 size, u32 flags, UserPtr<u8> address,
                           UserPtr<u32> length);
SyscallResult sys_sendmsg(Task& task, i32 fd, UserPtr<MsgHdr> message, u32 flags);
SyscallResult sys_recvmsg(Task& task, i32 fd, UserPtr<MsgHdr> message, u32 flags);
SyscallResult sys_sendmmsg(Task& task, i32 fd, UserPtr<MmsgHdr> messages, u32 count, u32 flags);
SyscallResult sys_recvmmsg(Task& task, i32 fd, UserPtr<MmsgHdr> messages, u32 count, u32 flags,
                           UserPtr<Timespec> timeout);

}  // namespace tutti::linux_abi
