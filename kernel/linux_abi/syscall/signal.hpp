// SPDX-License-Identifier: BSD-3-Clause
// System calls about signals.
#pragma once

#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/time.hpp"
#include "linux_abi/syscall/dispatch.hpp"

namespace tutti::linux_abi {

SyscallResult sys_rt_sigaction(Task& task, i32 signal, UserPtr<SigAction> action, UserPtr<SigAction> old, u64 size);
SyscallResult sys_rt_sigprocmask(Task& task, i32 how, UserPtr<SignalSet> set, UserPtr<SignalSet> old, u64 size);
SyscallResult sys_rt_sigpending(Task& task, UserPtr<SignalSet> set, u64 size);
SyscallResult sys_rt_sigsuspend(Task& task, UserPtr<SignalSet> mask, u64 size);
SyscallResult sys_rt_sigtimedwait(Task& task, UserPtr<SignalSet> set, UserPtr<SigInfo> info,
                                  UserPtr<Timespec> timeout, u64 size);
SyscallResult sys_rt_sigqueueinfo(Task& task, i32 pid, i32 signal, UserPtr<SigInfo> info);
SyscallResult sys_rt_tgsigqueueinfo(Task& task, i32 pid, i32 tid, i32 signal, UserPtr<SigInfo> info);
SyscallResult sys_rt_sigreturn(Task& task, arch::TrapFrame& frame);
SyscallResult sys_restart_syscall(Task& task);
SyscallResult sys_sigaltstack(Task& task, arch::TrapFrame& frame);
SyscallResult sys_kill(Task& task, i32 pid, i32 signal);
SyscallResult sys_tkill(Task& task, i32 tid, i32 signal);
SyscallResult sys_tgkill(Task& task, i32 pid, i32 tid, i32 signal);
SyscallResult sys_pause(Task& task);

}  // namespace tutti::linux_abi
