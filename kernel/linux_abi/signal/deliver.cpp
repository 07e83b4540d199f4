// SPDX-License-Identifier: BSD-3-Clause
#include "linux_abi/signal/deliver.hpp"

#include "base/log.hpp"
#include "linux_abi/process/process.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/send.hpp"
#include "linux_abi/machine/signal_frame.hpp"
#include "smp/debug/race_point.hpp"

namespace tutti::linux_abi {

namespace {

struct TakenSignal {
    SigInfo info;
    SigAction action;
};

// Every thread of the process is to wait for SIGCONT or SIGKILL. Needs the lock of the group.
void stop_locked(ThreadGroup& group) NO_THREAD_SAFETY_ANALYSIS {
    if (group.ending) return;
    group.stopped = true;
    group.for_each_locked([](Task& task) {
        task.thread().set_return_work();
        task.thread().interrupt();
    });
}

// Takes the next signal for `task`: faults of its own first, then the lowest number, the thread's before the
// process's. A stop begins here: a SIGCONT or SIGKILL from now on must find it, not the signal. False when there is none.
bool take_signal(Task& task, TakenSignal& taken) {
    ThreadGroup& group = task.process().threads();
    QueuedSignal* entry = nullptr;
    {
        smp::SpinIrqGuard guard{group.lock()};
        SignalSet const own = task.pending.set() - task.blocked;
        SignalSet const shared = group.pending.set() - task.blocked;
        SignalSet const any = own | shared;
        if (any.empty()) return false;
        SignalSet const synchronous = own & kSynchronous;
        i32 const signal = any.contains(kSIGKILL) ? static_cast<i32>(kSIGKILL)
                           : !synchronous.empty() ? synchronous.lowest()
                                                  : any.lowest();
        entry = (own.contains(signal) ? task.pending : group.pending).take(signal, taken.info);
        SigAction& action = group.actions[signal - 1];
        taken.action = action;
        if (action.handler > kSigIgnore && (action.flags & kSaResetHand) != 0) action.handler = kSigDefault;
        if (taken.action.handler == kSigDefault && kStopSignals.contains(signal)) stop_locked(group);
    }
    smp::race_point();
    release_queued_signal(entry);
    return true;
}

void wait_while_stopped(Task& task) {
    ThreadGroup& group = task.process().threads();
    // Uninterruptible: only SIGCONT, SIGKILL and the end of the process change `stopped`, and each wakes the queue.
    (void)group.stop_queue.wait_until(
        [&] {
            smp::SpinIrqGuard guard{group.lock()};
            return !group.stopped || group.ending;
        },
        kNever, sched::WaitMode::Uninterruptible);
}

void run_default_action(Task& task, SigInfo const& info, arch::TrapFrame const& frame) {
    i32 const signal = info.signo;
    if (kIgnoredByDefault.contains(signal) || kStopSignals.contains(signal)) return;  // take_signal has begun the stop
    if (kSynchronous.contains(signal))
        log_info("pid {} tid {} ({}): killed by signal {} code {} at {:#x}, address {:#x}", task.process().pid(),
                 task.tid(), task.name(), signal, info.code, frame.instruction_pointer(), info.fields.fault.address);
    task.process().begin_exit({.code = 0, .signal = signal});
}

// Puts the interrupted system call back: the program executes it again, or restart_syscall in its place.
void restart_call(arch::TrapFrame& frame, u64 number) { rewind_to_system_call(frame, number); }

void restart_without_handler(arch::TrapFrame& frame, Task::InterruptedCall const& call) {
    if (!call.valid || call.restart == Restart::Never) return;
    restart_call(frame, call.restart == Restart::Resume ? kRestartSyscallNumber : call.number);
}

void restart_with_handler(arch::TrapFrame& frame, Task::InterruptedCall const& call, SigAction const& action) {
    if (!call.valid) return;
    if (call.restart == Restart::EvenWithHandler || (call.restart == Restart::Always && (action.flags & kSaRestart) != 0))
        restart_call(frame, call.number);
    // Otherwise the result stays EINTR, as the dispatcher set it.
}

// Enters the handler: its frame, its mask. A frame that cannot be written is a SIGSEGV, which a handler on the alternate
// stack may take; one for SIGSEGV itself ends the process.
void run_handler(Task& task, TakenSignal const& taken, arch::TrapFrame& frame) {
    SignalSet const mask_to_restore = task.has_saved_mask ? task.saved_mask : task.blocked;
    task.has_saved_mask = false;
    if (!push_signal_frame(task, frame, taken.info, taken.action, mask_to_restore)) {
        log_debug("tid {}: no stack for the handler of signal {}", task.tid(), taken.info.signo);
        set_blocked_mask(task, mask_to_restore);
        if (taken.info.signo == kSIGSEGV)
            task.process().begin_exit({.code = 0, .signal = kSIGSEGV});
        else
            force_signal(task, kernel_info(kSIGSEGV));
        return;
    }
    SignalSet mask = task.blocked | taken.action.mask;
    if ((taken.action.flags & kSaNoDefer) == 0) mask.add(SignalSet::of(taken.info.signo));
    set_blocked_mask(task, mask);
}

}  // namespace

void deliver_signals(Task& task, arch::TrapFrame& frame) {
    Task::InterruptedCall call = task.take_interrupted_call();
    TakenSignal taken;
    while (!task.process().is_exiting() && take_signal(task, taken)) {
        if (taken.action.handler == kSigIgnore) continue;
        if (taken.action.handler == kSigDefault) {
            run_default_action(task, taken.info, frame);
            wait_while_stopped(task);
            continue;
        }
        restart_with_handler(frame, call, taken.action);
        call = {};
        run_handler(task, taken, frame);
    }
    restart_without_handler(frame, call);
    if (task.has_saved_mask) {
        task.has_saved_mask = false;
        set_blocked_mask(task, task.saved_mask);
    }
}

void return_to_user(arch::TrapFrame& frame) {
    Task* const task = current_task_or_null();
    if (task == nullptr) return;
    task->thread().clear_interrupt();
    deliver_signals(*task, frame);
    wait_while_stopped(*task);
    if (task->process().is_exiting()) exit_task(*task, 0);
    task->process().threads().release_discarded();
}

}  // namespace tutti::linux_abi
