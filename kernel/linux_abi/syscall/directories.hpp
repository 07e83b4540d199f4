// SPDX-License-Identifier: BSD-3-Clause
// System calls that change the tree of names, list directories and move in it.
#pragma once

#include "linux_abi/abi/file.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_mkdir(Task& task, UserPtr<char> path, u32 mode);
SyscallResult sys_mkdirat(Task& task, i32 directory, UserPtr<char> path, u32 mode);
SyscallResult sys_rmdir(Task& task, UserPtr<char> path);
SyscallResult sys_mknod(Task& task, UserPtr<char> path, u32 mode, u64 device);
SyscallResult sys_mknodat(Task& task, i32 directory, UserPtr<char> path, u32 mode, u64 device);
SyscallResult sys_unlink(Task& task, UserPtr<char> path);
SyscallResult sys_unlinkat(Task& task, i32 directory, UserPtr<char> path, u32 flags);
SyscallResult sys_link(Task& task, UserPtr<char> old_path, UserPtr<char> new_path);
SyscallResult sys_linkat(Task& task, i32 old_directory, UserPtr<char> old_path, i32 new_directory,
                         UserPtr<char> new_path, u32 flags);
SyscallResult sys_symlink(Task& task, UserPtr<char> target, UserPtr<char> path);
SyscallResult sys_symlinkat(Task& task, UserPtr<char> target, i32 directory, UserPtr<char> path);
SyscallResult sys_readlink(Task& task, UserPtr<char> path, u64 buffer, i32 size);
SyscallResult sys_readlinkat(Task& task, i32 directory, UserPtr<char> path, u64 buffer, i32 size);
SyscallResult sys_rename(Task& task, UserPtr<char> old_path, UserPtr<char> new_path);
SyscallResult sys_renameat(Task& task, i32 old_directory, UserPtr<char> old_path, i32 new_directory,
                           UserPtr<char> new_path);
SyscallResult sys_renameat2(Task& task, i32 old_directory, UserPtr<char> old_path, i32 new_directory,
                            UserPtr<char> new_path, u32 flags);
SyscallResult sys_getdents(Task& task, i32 fd, u64 buffer, u32 size);
SyscallResult sys_getdents64(Task& task, i32 fd, u64 buffer, u32 size);
SyscallResult sys_getcwd(Task& task, u64 buffer, u64 size);
SyscallResult sys_chdir(Task& task, UserPtr<char> path);
SyscallResult sys_fchdir(Task& task, i32 fd);
SyscallResult sys_chroot(Task& task, UserPtr<char> path);

}  // namespace tutti::linux_abi
