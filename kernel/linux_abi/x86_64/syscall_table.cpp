// SPDX-License-Identifier: BSD-3-Clause
// The system calls of x86_64: those of every architecture, and older ones that newer architectures never had.
#include "linux_abi/machine/arch_prctl.hpp"
#include "linux_abi/syscall/common_rows.hpp"

namespace tutti::linux_abi {

namespace {

constexpr auto kOwnRows = std::to_array<SyscallRow>({
    row<sys_open>("open", Restart::Always),
    row<sys_creat>("creat", Restart::Always),
    row<sys_dup2>("dup2"),
    row<sys_pipe>("pipe"),
    row<sys_stat>("stat"),
    row<sys_lstat>("lstat"),
    row<sys_access>("access"),
    row<sys_chmod>("chmod"),
    row<sys_chown>("chown"),
    row<sys_lchown>("lchown"),
    row<sys_utime>("utime"),
    row<sys_utimes>("utimes"),
    row<sys_futimesat>("futimesat"),
    row<sys_mkdir>("mkdir"),
    row<sys_rmdir>("rmdir"),
    row<sys_rename>("rename"),
    row<sys_link>("link"),
    row<sys_unlink>("unlink"),
    row<sys_symlink>("symlink"),
    row<sys_readlink>("readlink"),
    row<sys_mknod>("mknod"),
    row<sys_getdents>("getdents"),
    row<sys_poll>("poll", Restart::Resume),
    row<sys_select>("select", Restart::NoHandler),
    row<sys_epoll_create>("epoll_create"),
    row<sys_epoll_wait>("epoll_wait"),
    row<sys_eventfd>("eventfd"),
    row<sys_signalfd>("signalfd"),
    row<sys_fork>("fork"),
    row<sys_fork>("vfork"),
    row<sys_pause>("pause", Restart::NoHandler),
    row<sys_time>("time"),
    row<sys_alarm>("alarm"),
    row<sys_getpgrp>("getpgrp"),
    row<sys_arch_prctl>("arch_prctl"),
});
constexpr SyscallTable kTable = make_syscall_table(kOwnRows);

}  // namespace

SyscallEntry const* syscall_entry(u64 number) { return number < kSyscallLimit ? &kTable[number] : nullptr; }

}  // namespace tutti::linux_abi
