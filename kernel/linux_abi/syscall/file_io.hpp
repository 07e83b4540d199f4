// SPDX-License-Identifier: BSD-3-Clause
// System calls that move file data.
#pragma once

#include "linux_abi/abi/file.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_read(Task& task, i32 fd, u64 buffer, u64 size);
SyscallResult sys_write(Task& task, i32 fd, u64 buffer, u64 size);
SyscallResult sys_pread64(Task& task, i32 fd, u64 buffer, u64 size, i64 offset);
SyscallResult sys_pwrite64(Task& task, i32 fd, u64 buffer, u64 size, i64 offset);
SyscallResult sys_readv(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count);
SyscallResult sys_writev(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count);
SyscallResult sys_preadv(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64 offset_high);
SyscallResult sys_pwritev(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64 offset_high);
SyscallResult sys_preadv2(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64 offset_high);
SyscallResult sys_pwritev2(Task& task, i32 fd, UserPtr<IoVec> vectors, u64 count, u64 offset_low, u64 offset_high);
SyscallResult sys_lseek(Task& task, i32 fd, i64 offset, i32 whence);
SyscallResult sys_sendfile(Task& task, i32 out, i32 in, UserPtr<i64> offset, u64 count);
SyscallResult sys_copy_file_range(Task& task, i32 in, UserPtr<i64> in_offset, i32 out, UserPtr<i64> out_offset,
                                  u64 count);
SyscallResult sys_fsync(Task& task, i32 fd);  // and fdatasync
SyscallResult sys_sync(Task& task);
SyscallResult sys_syncfs(Task& task, i32 fd);
SyscallResult sys_sync_file_range(Task& task, i32 fd, i64 offset, i64 length, u32 flags);
SyscallResult sys_fadvise64(Task& task, i32 fd, i64 offset, i64 length, i32 advice);
SyscallResult sys_readahead(Task& task, i32 fd, i64 offset, u64 count);
SyscallResult sys_fallocate(Task& task, i32 fd, i32 mode, i64 offset, i64 length);
SyscallResult sys_truncate(Task& task, UserPtr<char> path, i64 size);
SyscallResult sys_ftruncate(Task& task, i32 fd, i64 size);

}  // namespace tutti::linux_abi
