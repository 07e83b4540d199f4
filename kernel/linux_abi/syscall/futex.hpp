// SPDX-License-Identifier: BSD-3-Clause
// The futex system call and what glibc and musl call around it.
#pragma once

#include "linux_abi/abi/thread.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_futex(Task& task, u64 address, u32 operation, u32 value, u64 timeout_or_count, u64 second,
                        u32 value3);
SyscallResult sys_set_robust_list(Task& task, u64 head, u64 size);
SyscallResult sys_get_robust_list(Task& task, i32 tid, UserPtr<u64> head, UserPtr<u64> size);

}  // namespace tutti::linux_abi
