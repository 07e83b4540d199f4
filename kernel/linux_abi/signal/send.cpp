// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/signal/send.hpp"

#include <new>

#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"

namespace tutti::linux_abi {

namespace {

ISR_SAFE bool is_ignored(ThreadGroup& group, i32 signal) {
    u64 const handler = group.actions[signal - 1].handler;
    return handler == kSigIgnore || (handler == kSigDefault && kIgnoredByDefault.contains(signal));
}

// Makes `task` look at its signals: ends an interruptible wait, or its stay in the program.
ISR_SAFE void notify(Task& task) {
    task.thread().set_return_work();
    task.thread().interrupt();
}

ISR_SAFE bool wants(Task const& task, i32 signal) {
    return !task.exiting && (!task.blocked.contains(signal) || task.waiting_for.contains(signal));
}

// The functions here whose name or comment says so run with the thread-group lock held; the analysis cannot follow the
// lock through process.threads().

// A thread that takes `signal`: the first thread if it can, as Linux prefers, else any.
ISR_SAFE Task* choose_target(Process& process, i32 signal) NO_THREAD_SAFETY_ANALYSIS {
    Task* chosen = nullptr;
    process.threads().for_each_locked([&](Task& task) {
        if (!wants(task, signal)) return;
        if (chosen == nullptr || task.tid() == process.pid()) chosen = &task;
    });
    return chosen;
}

// Stop signals and SIGCONT cancel each other, whatever their actions are.
ISR_SAFE void cancel_opposites(Process& process, i32 signal) NO_THREAD_SAFETY_ANALYSIS {
    ThreadGroup& group = process.threads();
    SignalSet opposite;
    if (signal == kSIGCONT)
        opposite = kStopSignals;
    else if (kStopSignals.contains(signal))
        opposite = SignalSet::of(kSIGCONT);
    else
        return;
    group.pending.discard(opposite, group.discarded);
    group.for_each_locked([&](Task& task) { task.pending.discard(opposite, group.discarded); });
    if (signal == kSIGCONT && group.stopped) {
        group.stopped = false;
        group.stop_queue.wake_all();
    }
}

// Process signals among `left` that a thread was chosen for which takes them no more must find another one.
void find_other_targets(Process& process, SignalSet left) NO_THREAD_SAFETY_ANALYSIS {
    left = left & process.threads().pending.set();
    while (!left.empty()) {
        i32 const signal = left.lowest();
        left.remove(SignalSet::of(signal));
        if (Task* other = choose_target(process, signal)) notify(*other);
    }
}

ISR_SAFE bool is_awaited(ThreadGroup& group, i32 signal) NO_THREAD_SAFETY_ANALYSIS {
    bool awaited = false;
    group.for_each_locked([&](Task& task) { awaited |= task.waiting_for.contains(signal); });
    return awaited;
}

// Queues `entry`, or without memory just the signal number. Returns true when `entry` was used. Needs the lock.
ISR_SAFE bool queue_locked(Process& process, Task* task, i32 signal, QueuedSignal* entry)
    NO_THREAD_SAFETY_ANALYSIS {
    ThreadGroup& group = process.threads();
    if (signal == kSIGKILL) task = nullptr;  // for all threads: none takes a stop signal before it
    cancel_opposites(process, signal);
    if (group.ending) return false;
    if (task != nullptr && task->exiting) return false;  // remove() discards its signals once

    // A signal that is blocked is kept even when it is ignored now: its action may change before it is unblocked.
    bool const kept = task != nullptr ? task->blocked.contains(signal) || task->waiting_for.contains(signal)
                                      : choose_target(process, signal) == nullptr || is_awaited(group, signal);
    if (!kept && is_ignored(group, signal)) return false;

    PendingSignals& pending = task != nullptr ? task->pending : group.pending;
    if (pending.absorbs(signal)) return false;
    if (entry != nullptr)
        pending.add(*entry);
    else
        pending.add_without_info(signal);
    group.signal_queue.wake_all();

    if (signal == kSIGKILL && group.stopped) {
        group.stopped = false;
        group.stop_queue.wake_all();
    }
    Task* const target = task != nullptr ? task : choose_target(process, signal);
    if (target != nullptr && (wants(*target, signal) || kUnblockable.contains(signal))) notify(*target);
    return entry != nullptr;
}

Result<> send(Process& process, Task* task, SigInfo const& info) {
    // Only the information of a real-time signal may not be lost (signal(7)).
    auto* entry = new (std::nothrow) QueuedSignal;
    if (entry == nullptr && info.signo >= kSIGRTMIN && info.code != kSiUser) return fail(Error::WouldBlock);
    if (entry != nullptr) entry->info = info;

    bool used = false;
    {
        smp::SpinIrqGuard guard{process.threads().lock()};
        used = queue_locked(process, task, info.signo, entry);
    }
    if (!used) delete entry;
    process.threads().release_discarded();
    return {};
}

}  // namespace

Result<> send_to_process(Process& process, SigInfo const& info) { return send(process, nullptr, info); }
Result<> send_to_task(Task& task, SigInfo const& info) { return send(task.process(), &task, info); }

ISR_SAFE void send_timer_signal(Process& process, i32 tid, QueuedSignal& entry, i32 missed) {
    ThreadGroup& group = process.threads();
    smp::SpinIrqGuard guard{group.lock()};
    bool const counts = entry.info.code == kSiTimer;  // interval timers have no overrun count
    i32& overrun = entry.info.fields.timer.overrun;
    if (entry.queued) {
        if (counts && __builtin_add_overflow(overrun, missed + 1, &overrun)) overrun = std::numeric_limits<i32>::max();
        return;
    }
    if (counts) overrun = missed;
    Task* const target = tid == 0 ? nullptr : group.find_locked(tid);
    if (tid != 0 && target == nullptr) return;  // the thread is gone
    (void)queue_locked(process, target, entry.info.signo, &entry);
}

void force_signal(Task& task, SigInfo const& info) {
    ThreadGroup& group = task.process().threads();
    auto* entry = new (std::nothrow) QueuedSignal;
    if (entry != nullptr) entry->info = info;
    {
        smp::SpinIrqGuard guard{group.lock()};
        SigAction& action = group.actions[info.signo - 1];
        bool const blocked = task.blocked.contains(info.signo);
        if (blocked || action.handler == kSigIgnore) {
            action.handler = kSigDefault;
            task.blocked.remove(SignalSet::of(info.signo));
        }
        if (!task.pending.absorbs(info.signo)) {
            if (entry != nullptr) {
                task.pending.add(*entry);
                entry = nullptr;
            } else {
                task.pending.add_without_info(info.signo);
            }
        }
        task.thread().set_return_work();
    }
    delete entry;
}

SigInfo sender_info(Task const& sender, i32 signal, i32 code) {
    SigInfo info;
    info.signo = signal;
    info.code = code;
    info.fields.sender = {sender.process().pid(), 0, 0};
    return info;
}

SigInfo kernel_info(i32 signal) {
    SigInfo info;
    info.signo = signal;
    info.code = kSiKernel;
    return info;
}

void send_broken_pipe(Task& task) { (void)send_to_task(task, sender_info(task, kSIGPIPE, kSiUser)); }

bool has_deliverable_signal(Task& task) {
    ThreadGroup& group = task.process().threads();
    smp::SpinIrqGuard guard{group.lock()};
    return !((task.pending.set() | group.pending.set()) - task.blocked).empty();
}

void set_blocked_mask(Task& task, SignalSet mask) {
    ThreadGroup& group = task.process().threads();
    mask = mask - kUnblockable;
    smp::SpinIrqGuard guard{group.lock()};
    SignalSet const newly_blocked = mask - task.blocked;
    task.blocked = mask;
    if (!((task.pending.set() | group.pending.set()) - mask).empty()) {
        task.thread().set_return_work();
        task.thread().interrupt();
    }
    find_other_targets(task.process(), newly_blocked);
}

void stop_waiting(Task& task) {
    smp::SpinIrqGuard guard{task.process().threads().lock()};
    SignalSet const awaited = std::exchange(task.waiting_for, SignalSet{});
    find_other_targets(task.process(), awaited & task.blocked);
}

}  // namespace tutti::linux_abi
