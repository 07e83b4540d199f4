// SPDX-License-Identifier: BSD-3-Clause
// System calls that read and change what is known about files: attributes, rights, times, filesystem statistics.
#pragma once

#include "linux_abi/abi/file.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"
#include "linux_abi/machine/file_structures.hpp"

namespace tutti::linux_abi {

struct Utimbuf { i64 access, modify; };

SyscallResult sys_stat(Task& task, UserPtr<char> path, UserPtr<Stat> result);
SyscallResult sys_lstat(Task& task, UserPtr<char> path, UserPtr<Stat> result);
SyscallResult sys_fstat(Task& task, i32 fd, UserPtr<Stat> result);
SyscallResult sys_newfstatat(Task& task, i32 directory, UserPtr<char> path, UserPtr<Stat> result, u32 flags);
SyscallResult sys_statx(Task& task, i32 directory, UserPtr<char> path, u32 flags, u32 mask, UserPtr<Statx> result);
SyscallResult sys_access(Task& task, UserPtr<char> path, u32 mode);
SyscallResult sys_faccessat(Task& task, i32 directory, UserPtr<char> path, u32 mode);
SyscallResult sys_faccessat2(Task& task, i32 directory, UserPtr<char> path, u32 mode, u32 flags);
SyscallResult sys_chmod(Task& task, UserPtr<char> path, u32 mode);
SyscallResult sys_fchmod(Task& task, i32 fd, u32 mode);
SyscallResult sys_fchmodat(Task& task, i32 directory, UserPtr<char> path, u32 mode);
SyscallResult sys_fchmodat2(Task& task, i32 directory, UserPtr<char> path, u32 mode, u32 flags);
SyscallResult sys_chown(Task& task, UserPtr<char> path, u32 uid, u32 gid);
SyscallResult sys_lchown(Task& task, UserPtr<char> path, u32 uid, u32 gid);
SyscallResult sys_fchown(Task& task, i32 fd, u32 uid, u32 gid);
SyscallResult sys_fchownat(Task& task, i32 directory, UserPtr<char> path, u32 uid, u32 gid, u32 flags);
SyscallResult sys_utime(Task& task, UserPtr<char> path, UserPtr<Utimbuf> times);
SyscallResult sys_utimes(Task& task, UserPtr<char> path, UserPtr<Timeval> times);
SyscallResult sys_futimesat(Task& task, i32 directory, UserPtr<char> path, UserPtr<Timeval> times);
SyscallResult sys_utimensat(Task& task, i32 directory, UserPtr<char> path, UserPtr<Timespec> times, u32 flags);
SyscallResult sys_umask(Task& task, u32 mask);
SyscallResult sys_statfs(Task& task, UserPtr<char> path, UserPtr<Statfs> result);
SyscallResult sys_fstatfs(Task& task, i32 fd, UserPtr<Statfs> result);
// Extended attributes: no filesystem here has any.
SyscallResult sys_xattr(Task& task, UserPtr<char> path);   // {set,get,list,remove}xattr
SyscallResult sys_lxattr(Task& task, UserPtr<char> path);
SyscallResult sys_fxattr(Task& task, i32 fd);

}  // namespace tutti::linux_abi
