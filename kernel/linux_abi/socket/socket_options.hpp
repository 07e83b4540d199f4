// SPDX-License-Identifier: BSD-3-Clause
// getsockopt and setsockopt.
#pragma once

#include "linux_abi/process/task.hpp"
#include "linux_abi/syscall/result.hpp"
#include "linux_abi/user_memory.hpp"

namespace tutti::linux_abi {

SyscallResult sys_getsockopt(Task& task, i32 fd, i32 level, i32 option, UserPtr<u8> value, UserPtr<i32> length);
SyscallResult sys_setsockopt(Task& task, i32 fd, i32 level, i32 option, UserPtr<u8> value, i32 length);

}  // namespace tutti::linux_abi
