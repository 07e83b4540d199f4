// SPDX-License-Identifier: BSD-3-Clause
// System calls that create and end threads.
#pragma once

#include "linux_abi/abi/thread.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_clone(Task& task, arch::TrapFrame& frame);
SyscallResult sys_clone3(Task& task, arch::TrapFrame& frame);
SyscallResult sys_fork(Task& task);   // and vfork
SyscallResult sys_exit(Task& task, i32 code);
SyscallResult sys_exit_group(Task& task, i32 code);
SyscallResult sys_set_tid_address(Task& task, u64 address);

}  // namespace tutti::linux_abi
