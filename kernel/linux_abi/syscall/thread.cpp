// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/thread.hpp"

#include <atomic>

#include "base/log.hpp"
#include "linux_abi/machine/syscall_numbers.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/spawn.hpp"
#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

namespace {

constexpr u64 kThreadFlags = kCloneVm | kCloneSighand | kCloneThread | kCloneFs | kCloneFiles;
constexpr u64 kKnownFlags = kThreadFlags | kCloneSysvSem | kCloneSetTls | kCloneParentSetTid | kCloneChildClearTid |
                            kCloneChildSetTid | kCloneDetached | kCloneUntraced | kClonePtrace | kCloneIo |
                            kCloneParent;
constexpr u64 kExitSignalMask = 0xff;

constinit std::atomic<bool> fork_was_logged{false};

// A Tutti machine runs one process. Said once, in words a user can act on.
[[gnu::cold]] SyscallResult refuse_process(char const* call) {
    // Relaxed: only limits the number of log lines.
    if (!fork_was_logged.exchange(true, std::memory_order_relaxed))
        log_warn("{} asks for a second process: a Tutti machine runs one process (threads are fine). ENOSYS", call);
    return kENOSYS;
}

SyscallResult create_thread(Task& task, arch::TrapFrame const& frame, CloneArgs const& arguments, char const* call) {
    u64 const flags = arguments.flags;
    if ((flags & kCloneThread) != 0 && (flags & kCloneSighand) == 0) return kEINVAL;
    if ((flags & kCloneSighand) != 0 && (flags & kCloneVm) == 0) return kEINVAL;
    if ((flags & kCloneThread) == 0) return refuse_process(call);
    if ((flags & kThreadFlags) != kThreadFlags || (flags & ~kKnownFlags) != 0) {
        log_warn("{} with flags {:#x}: threads with separate files or namespaces are not there: EINVAL", call, flags);
        return kEINVAL;
    }
    return spawn_thread(task, frame,
                        {.stack_pointer = arguments.stack == 0 ? 0 : arguments.stack + arguments.stack_size,
                         .set_tls = (flags & kCloneSetTls) != 0,
                         .tls = arguments.tls,
                         .parent_tid = (flags & kCloneParentSetTid) != 0 ? arguments.parent_tid : 0,
                         .child_tid = (flags & kCloneChildSetTid) != 0 ? arguments.child_tid : 0,
                         .clear_child_tid = (flags & kCloneChildClearTid) != 0 ? arguments.child_tid : 0});
}

}  // namespace

SyscallResult sys_clone(Task& task, arch::TrapFrame& frame) {
    CloneArgs arguments{};
    arguments.flags = frame.syscall_argument(0) & ~kExitSignalMask;
    arguments.stack = frame.syscall_argument(1);
    arguments.parent_tid = frame.syscall_argument(2);
    arguments.child_tid = frame.syscall_argument(kCloneChildTidArgument);
    arguments.tls = frame.syscall_argument(kCloneTlsArgument);
    return create_thread(task, frame, arguments, "clone");
}

SyscallResult sys_clone3(Task& task, arch::TrapFrame& frame) {
    u64 const size = frame.syscall_argument(1);
    if (size < kCloneArgsSizeV0) return kEINVAL;
    if (size > kPageSize) return kE2BIG;
    CloneArgs arguments{};
    VirtAddr const from{frame.syscall_argument(0)};
    TRY(vm::copy_from_user(&arguments, from, std::min<u64>(size, sizeof arguments)));
    for (u64 offset = sizeof arguments; offset < size; ++offset)  // fields of a newer kernel must be zero
        if (TRY(read_user(UserPtr<u8>{from.value() + offset})) != 0) return kE2BIG;
    constexpr u64 kClone3Flags = 0x3'ffff'ffff;  // those of clone, CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP
    if ((arguments.flags & ~kClone3Flags) != 0) return kEINVAL;
    if (arguments.set_tid_size != 0 || (arguments.flags & (kCloneIntoCgroup | kClonePidFd)) != 0) return kEINVAL;
    if ((arguments.flags & (kExitSignalMask | kCloneDetached)) != 0) return kEINVAL;
    if ((arguments.stack == 0) != (arguments.stack_size == 0)) return kEINVAL;
    if ((arguments.flags & kCloneThread) != 0 && arguments.exit_signal != 0) return kEINVAL;
    return create_thread(task, frame, arguments, "clone3");
}

SyscallResult sys_fork(Task&) { return refuse_process("fork"); }

SyscallResult sys_exit(Task& task, i32 code) { exit_task(task, code & 0xff); }

SyscallResult sys_exit_group(Task& task, i32 code) {
    task.process().begin_exit({.code = code & 0xff, .signal = 0});
    exit_task(task, code & 0xff);
}

SyscallResult sys_set_tid_address(Task& task, u64 address) {
    task.clear_child_tid = address;
    return task.tid();
}

}  // namespace tutti::linux_abi
