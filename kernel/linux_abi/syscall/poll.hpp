// SPDX-License-Identifier: BSD-3-Clause
// System calls that wait for files to become ready.
#pragma once

#include "linux_abi/abi/file.hpp"
#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/machine/file_structures.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_poll(Task& task, UserPtr<PollFd> fds, u64 count, i32 timeout_ms);
SyscallResult sys_ppoll(Task& task, UserPtr<PollFd> fds, u64 count, UserPtr<Timespec> timeout,
                        UserPtr<SignalSet> mask, u64 mask_size);
SyscallResult sys_select(Task& task, i32 count, UserPtr<u64> readable, UserPtr<u64> writable, UserPtr<u64> exceptional,
                         UserPtr<Timeval> timeout);
struct MaskArgument { u64 mask, size; };  // the sixth argument of pselect6
SyscallResult sys_pselect6(Task& task, i32 count, UserPtr<u64> readable, UserPtr<u64> writable,
                           UserPtr<u64> exceptional, UserPtr<Timespec> timeout, UserPtr<MaskArgument> mask);

SyscallResult sys_epoll_create(Task& task, i32 size);
SyscallResult sys_epoll_create1(Task& task, u32 flags);
SyscallResult sys_epoll_ctl(Task& task, i32 epoll_fd, i32 operation, i32 fd, UserPtr<EpollEvent> event);
SyscallResult sys_epoll_wait(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count, i32 timeout_ms);
SyscallResult sys_epoll_pwait(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count, i32 timeout_ms,
                              UserPtr<SignalSet> mask, u64 mask_size);
SyscallResult sys_epoll_pwait2(Task& task, i32 epoll_fd, UserPtr<EpollEvent> events, i32 count,
                               UserPtr<Timespec> timeout, UserPtr<SignalSet> mask, u64 mask_size);

}  // namespace tutti::linux_abi
