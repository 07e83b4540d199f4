// SPDX-License-Identifier: BSD-3-Clause
// Thread pointers, which programs for x86_64 set by a system call.
#pragma once

#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_arch_prctl(Task& task, i32 option, u64 address);

}  // namespace tutti::linux_abi
