// SPDX-License-Identifier: BSD-3-Clause
// One Linux thread: what the ABI adds to a sched::Thread.
//
// Fields without a lock note belong to the task's own thread: only it reads or writes them.
// The task is kept alive by its thread's entry function until exit_task, and by whoever found it through the
// ThreadGroup.
#pragma once

#include <atomic>

#include "arch/trap_frame.hpp"
#include "arch/traps.hpp"
#include "base/intrusive_list.hpp"
#include "base/ref.hpp"
#include "base/string.hpp"
#include "linux_abi/abi/signal.hpp"
#include "linux_abi/abi/thread.hpp"
#include "linux_abi/process/fpu_state.hpp"
#include "linux_abi/signal/pending.hpp"
#include "linux_abi/syscall/result.hpp"
#include "sched/thread.hpp"

namespace tutti::linux_abi {

class Process;

// How an interrupted call of Restart::Resume goes on: as `function` says, through restart_syscall, or without one
// as another kind of restart. The dispatcher resets it before each such call.
struct RestartBlock {
    using Function = SyscallResult (*)(class Task&, RestartBlock const&);
    Function function = nullptr;
    Restart otherwise = Restart::Always;
    Deadline deadline = kNever;
    u64 arguments[5] = {};
};

class Task : public RefCounted<Task> {
  public:
    static Result<Ref<Task>> create(Process& process, i32 tid);
    ~Task();

    [[nodiscard]] Process& process() const { return process_; }
    [[nodiscard]] i32 tid() const { return tid_; }
    [[nodiscard]] sched::Thread& thread() const { return *thread_; }
    void attach_thread(Ref<sched::Thread> thread) { thread_ = std::move(thread); }

    // Recorded by the dispatcher when a call fails with EINTR; consumed on the way back to the program.
    void note_interrupted_call(u64 number, Restart restart);
    struct InterruptedCall {
        bool valid = false;
        Restart restart = Restart::Never;
        u64 number = 0;
    };
    [[nodiscard]] InterruptedCall take_interrupted_call() { return std::exchange(interrupted_call_, {}); }

    // --- guarded by the thread-group lock --------------------------------------------------------------------
    ListNode group_node;         // in ThreadGroup's list
    ListNode hash_node;          // in ThreadGroup's table by tid
    SignalSet blocked;           // written by the own thread only, under the lock; the own thread may read it bare
    PendingSignals pending;
    SignalSet waiting_for;       // the set of a rt_sigtimedwait in progress: such signals are never ignored
    bool exiting = false;        // past the point where signals are taken

    // --- the own thread's ------------------------------------------------------------------------------------
    SignalSet saved_mask;        // restored when a handler's frame is made, or on return without one
    bool has_saved_mask = false;
    SigAltStack alt_stack{.flags = kSsDisable};
    u64 clear_child_tid = 0;     // user address, or 0
    u64 robust_list = 0;         // user address of a RobustListHead, or 0
    RestartBlock restart_block;
    FpuState fpu;
    arch::TrapFrame start_frame{};  // registers of a thread that has not entered the program yet
    arch::UserRegisters registers;
    // Of the last exception, for the signal frame.
    i32 fault_vector = 0;
    u64 fault_error_code = 0;
    u64 fault_address = 0;
    u64 parent_death_signal = 0;
    u64 timer_slack_ns = 50'000;
    // SCHED_BATCH was asked for: it is scheduled as SCHED_OTHER, and named. Relaxed: stands for itself.
    std::atomic<bool> is_batch{false};

    [[nodiscard]] std::string_view name() const { return thread_->name(); }

  private:
    Task(Process& process, i32 tid) : process_{process}, tid_{tid} {}

    Process& process_;  // outlives its tasks
    i32 const tid_;
    Ref<sched::Thread> thread_;
    InterruptedCall interrupted_call_;
};

// The task of the running thread. Only in a thread that runs a Linux program.
[[nodiscard]] Task& current_task();
// Null in kernel threads.
[[nodiscard]] Task* current_task_or_null();

// Ends the calling thread: robust list, clear_child_tid, the last thread also ends the process with `status`.
[[noreturn]] void exit_task(Task& task, i32 code);

}  // namespace tutti::linux_abi
