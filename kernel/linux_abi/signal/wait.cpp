// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/signal/wait.hpp"

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "sched/timers/sleep.hpp"

namespace tutti::linux_abi {

Result<> wait_for_signal(Task&, Deadline deadline) {
    // A signal that arrived before this call has left the interrupt mark on the thread: the sleep ends at once.
    TRY(sched::sleep_until(deadline, sched::WaitMode::Interruptible));
    return fail(Error::TimedOut);
}

Result<SigInfo> take_signal_in(Task& task, SignalSet set) {
    ThreadGroup& group = task.process().threads();
    SigInfo info;
    QueuedSignal* entry = nullptr;
    {
        smp::SpinIrqGuard guard{group.lock()};
        SignalSet const own = task.pending.set() & set;
        SignalSet const shared = group.pending.set() & set;
        SignalSet const any = own | shared;
        if (any.empty()) return fail(Error::WouldBlock);
        i32 const signal = any.lowest();
        entry = (own.contains(signal) ? task.pending : group.pending).take(signal, info);
    }
    release_queued_signal(entry);
    return info;
}

Result<SigInfo> wait_for_signal_in(Task& task, SignalSet set, Deadline deadline) {
    ThreadGroup& group = task.process().threads();
    set = set - kUnblockable;
    Result<SigInfo> taken = take_signal_in(task, set);
    if (taken) return taken;
    while (true) {
        // Declared first, looked at second: a sender that misses the declaration is seen by the look.
        {
            smp::SpinIrqGuard guard{group.lock()};
            task.waiting_for = set;
        }
        taken = take_signal_in(task, set);
        if (taken) break;
        Result<> const slept = sched::sleep_until(deadline, sched::WaitMode::Interruptible);
        taken = take_signal_in(task, set);
        if (taken) break;
        Error const error = slept ? Error::TimedOut : slept.error();
        if (error == Error::Interrupted && !has_deliverable_signal(task) && !task.process().is_exiting()) {
            // Woken for a signal that another thread took meanwhile.
            task.thread().clear_interrupt();
            if (!has_deliverable_signal(task) && !task.process().is_exiting()) continue;
        }
        taken = fail(error);
        break;
    }
    stop_waiting(task);
    return taken;
}

TemporaryMask::~TemporaryMask() {
    if (!installed_ || keep_) return;
    task_.has_saved_mask = false;
    set_blocked_mask(task_, task_.saved_mask);
}

Result<> TemporaryMask::install(UserPtr<SignalSet> mask, u64 size) {
    if (mask.is_null()) return {};
    if (size != sizeof(SignalSet)) return fail(Error::InvalidArgument);
    SignalSet const wanted = TRY(read_user(mask));
    task_.saved_mask = task_.blocked;
    task_.has_saved_mask = true;
    installed_ = true;
    set_blocked_mask(task_, wanted);
    return {};
}

}  // namespace tutti::linux_abi
