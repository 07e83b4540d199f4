// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/syscall/signal.hpp"

#include "hal/clock.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/signal/wait.hpp"
#include "linux_abi/machine/signal_frame.hpp"

namespace tutti::linux_abi {

namespace {

// Sends to the threads that kill's `pid` names. There is one process: itself, its group, and "everyone else".
SyscallResult send_by_pid(Task& task, i32 pid, i32 signal, SigInfo const& info) {
    Process& process = task.process();
    i32 const own = process.pid();
    if (signal != 0 && !is_valid_signal(signal)) return kEINVAL;
    if (pid != 0 && pid != own && pid != -own && pid != -1) {
        // A thread's number names its process, as on Linux.
        if (pid < 0 || !process.threads().find(pid)) return kESRCH;
    }
    if (pid == -1) return kESRCH;  // every process but the caller and init: there is none
    if (signal == 0) return 0;
    return send_to_process(process, info);
}

SyscallResult send_by_tid(Task& task, i32 pid, i32 tid, i32 signal, SigInfo const& info) {
    if (tid <= 0) return kEINVAL;
    if (signal != 0 && !is_valid_signal(signal)) return kEINVAL;
    Ref<Task> const target = task.process().threads().find(tid);
    if (!target || (pid != 0 && pid != target->process().pid())) return kESRCH;
    if (signal == 0) return 0;
    return send_to_task(*target, info);
}

// A program may make up siginfo only for itself, and may not pretend to be the kernel to others.
Result<SigInfo> read_queued_info(i32 signal, UserPtr<SigInfo> from) {
    SigInfo info = TRY(read_user(from));
    info.signo = signal;
    return info;
}

}  // namespace

SyscallResult sys_rt_sigaction(Task& task, i32 signal, UserPtr<SigAction> action, UserPtr<SigAction> old, u64 size) {
    if (size != sizeof(SignalSet) || !is_valid_signal(signal)) return kEINVAL;
    SigAction replacement;
    if (!action.is_null()) {
        replacement = TRY(read_user(action));
        if (kUnblockable.contains(signal)) return kEINVAL;
        replacement.mask.remove(kUnblockable);
    }
    ThreadGroup& group = task.process().threads();
    SigAction previous;
    {
        smp::SpinIrqGuard guard{group.lock()};
        SigAction& current = group.actions[signal - 1];
        previous = current;
        if (!action.is_null()) {
            current = replacement;
            // A pending signal that is now ignored is dropped, blocked or not (POSIX 2.4.3).
            bool const ignored =
                replacement.handler == kSigIgnore ||
                (replacement.handler == kSigDefault && kIgnoredByDefault.contains(signal));
            if (ignored) {
                SignalSet const set = SignalSet::of(signal);
                group.pending.discard(set, group.discarded);
                group.for_each_locked([&](Task& each) { each.pending.discard(set, group.discarded); });
            }
        }
    }
    group.release_discarded();
    return write_user_if_wanted(old, previous);
}

SyscallResult sys_rt_sigprocmask(Task& task, i32 how, UserPtr<SignalSet> set, UserPtr<SignalSet> old, u64 size) {
    if (size != sizeof(SignalSet)) return kEINVAL;
    SignalSet const previous = task.blocked;
    if (!set.is_null()) {
        SignalSet const change = TRY(read_user(set));
        SignalSet mask;
        switch (how) {
            case kSigBlock: mask = previous | change; break;
            case kSigUnblock: mask = previous - change; break;
            case kSigSetMask: mask = change; break;
            default: return kEINVAL;
        }
        if (mask - kUnblockable != previous) set_blocked_mask(task, mask);
    }
    return write_user_if_wanted(old, previous);
}

SyscallResult sys_rt_sigpending(Task& task, UserPtr<SignalSet> set, u64 size) {
    if (size > sizeof(SignalSet)) return kEINVAL;
    ThreadGroup& group = task.process().threads();
    SignalSet pending;
    {
        smp::SpinIrqGuard guard{group.lock()};
        pending = (task.pending.set() | group.pending.set()) & task.blocked;
    }
    return vm::copy_to_user(set.address(), &pending, size);
}

SyscallResult sys_rt_sigsuspend(Task& task, UserPtr<SignalSet> mask, u64 size) {
    if (size != sizeof(SignalSet)) return kEINVAL;
    TemporaryMask temporary{task};
    if (mask.is_null()) return kEFAULT;
    TRY(temporary.install(mask, size));
    (void)wait_for_signal(task, kNever);
    temporary.keep_for_delivery();
    return kEINTR;
}

SyscallResult sys_pause(Task& task) {
    (void)wait_for_signal(task, kNever);
    return kEINTR;
}

SyscallResult sys_rt_sigtimedwait(Task& task, UserPtr<SignalSet> set, UserPtr<SigInfo> info,
                                  UserPtr<Timespec> timeout, u64 size) {
    if (size != sizeof(SignalSet)) return kEINVAL;
    SignalSet const wanted = TRY(read_user(set));
    Deadline deadline = kNever;
    if (!timeout.is_null()) {
        Timespec const time = TRY(read_user(timeout));
        if (!is_valid(time)) return kEINVAL;
        deadline = hal::now() + to_nanoseconds(time);
    }
    auto const taken = wait_for_signal_in(task, wanted, deadline);
    if (!taken) return taken.error() == Error::TimedOut ? SyscallResult{kEAGAIN} : SyscallResult{taken.error()};
    TRY(write_user_if_wanted(info, *taken));
    return taken->signo;
}

SyscallResult sys_rt_sigqueueinfo(Task& task, i32 pid, i32 signal, UserPtr<SigInfo> info) {
    return send_by_pid(task, pid, signal, TRY(read_queued_info(signal, info)));
}

SyscallResult sys_rt_tgsigqueueinfo(Task& task, i32 pid, i32 tid, i32 signal, UserPtr<SigInfo> info) {
    if (pid <= 0) return kEINVAL;
    return send_by_tid(task, pid, tid, signal, TRY(read_queued_info(signal, info)));
}

SyscallResult sys_kill(Task& task, i32 pid, i32 signal) {
    return send_by_pid(task, pid, signal, sender_info(task, signal, kSiUser));
}

SyscallResult sys_tkill(Task& task, i32 tid, i32 signal) {
    return send_by_tid(task, 0, tid, signal, sender_info(task, signal, kSiTkill));
}

SyscallResult sys_tgkill(Task& task, i32 pid, i32 tid, i32 signal) {
    if (pid <= 0) return kEINVAL;
    return send_by_tid(task, pid, tid, signal, sender_info(task, signal, kSiTkill));
}

SyscallResult sys_rt_sigreturn(Task& task, arch::TrapFrame& frame) {
    if (!pop_signal_frame(task, frame)) {
        SigInfo info = kernel_info(kSIGSEGV);
        info.fields.fault.address = frame.stack_pointer().value();
        force_signal(task, info);
    }
    return static_cast<i64>(frame.return_value());  // the register comes from the frame
}

SyscallResult sys_restart_syscall(Task& task) {
    RestartBlock const block = task.restart_block;
    if (block.function == nullptr) return kEINTR;
    return block.function(task, block);
}

SyscallResult sys_sigaltstack(Task& task, arch::TrapFrame& frame) {
    UserPtr<SigAltStack> const wanted{frame.syscall_argument(0)};
    UserPtr<SigAltStack> const old{frame.syscall_argument(1)};
    bool const running_on_it = is_on_alt_stack(task, frame.stack_pointer().value());
    SigAltStack previous = task.alt_stack;
    if (running_on_it) previous.flags |= kSsOnStack;
    if (!wanted.is_null()) {
        SigAltStack stack = TRY(read_user(wanted));
        if (running_on_it) return kEPERM;
        i32 const mode = stack.flags & ~static_cast<i32>(kSsAutoDisarm);
        if (mode != 0 && mode != kSsDisable && mode != kSsOnStack) return kEINVAL;
        if (mode == kSsDisable) {
            stack = {.base = 0, .flags = stack.flags, .size = 0};
        } else if (stack.size < kMinSigStackSize) {
            return kENOMEM;
        }
        stack.flags &= kSsDisable | kSsAutoDisarm;
        task.alt_stack = stack;
    }
    return write_user_if_wanted(old, previous);
}

}  // namespace tutti::linux_abi
