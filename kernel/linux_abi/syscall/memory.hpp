// SPDX-License-Identifier: BSD-3-Clause
// System calls about memory.
#pragma once

#include "linux_abi/abi/mman.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_mmap(Task& task, u64 address, u64 length, u32 protection, u32 flags, i32 fd, u64 offset);
SyscallResult sys_munmap(Task& task, u64 address, u64 length);
SyscallResult sys_mprotect(Task& task, u64 address, u64 length, u32 protection);
SyscallResult sys_mremap(Task& task, u64 old_address, u64 old_length, u64 new_length, u32 flags, u64 new_address);
SyscallResult sys_madvise(Task& task, u64 address, u64 length, i32 advice);
SyscallResult sys_brk(Task& task, u64 address);
SyscallResult sys_msync(Task& task, u64 address, u64 length, u32 flags);
SyscallResult sys_mincore(Task& task, u64 address, u64 length, UserPtr<u8> vector);
SyscallResult sys_mlock(Task& task, u64 address, u64 length);
SyscallResult sys_mlock2(Task& task, u64 address, u64 length, u32 flags);
SyscallResult sys_munlock(Task& task, u64 address, u64 length);
SyscallResult sys_mlockall(Task& task, u32 flags);
SyscallResult sys_munlockall(Task& task);
SyscallResult sys_mbind(Task& task, u64 address, u64 length, i32 mode, UserPtr<u64> nodes, u64 bits, u32 flags);
SyscallResult sys_set_mempolicy(Task& task, i32 mode, UserPtr<u64> nodes, u64 bits);
SyscallResult sys_get_mempolicy(Task& task, UserPtr<i32> mode, UserPtr<u64> nodes, u64 bits, u64 address, u32 flags);
SyscallResult sys_pkey_alloc(Task& task, u32 flags, u32 rights);
SyscallResult sys_pkey_free(Task& task, i32 key);
SyscallResult sys_pkey_mprotect(Task& task, u64 address, u64 length, u32 protection, i32 key);

}  // namespace tutti::linux_abi
