// SPDX-License-Identifier: BSD-3-Clause
// The threads of a process, their numbers, and the signal state they share, under one spinning lock.
//
// The lock is taken with interrupts off: POSIX timers send signals from interrupt context. What is done under it is
// short (list and bit operations, wake-ups); creation and end of a thread take it once each.
#pragma once

#include "base/intrusive_list.hpp"
#include "base/ref.hpp"
#include "linux_abi/abi/signal.hpp"
#include "linux_abi/process/task.hpp"
#include "linux_abi/signal/pending.hpp"
#include "sched/wait/wait_queue.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::linux_abi {

class ThreadGroup {
  public:
    explicit ThreadGroup(i32 first_tid) : next_tid_{first_tid} {}

    [[nodiscard]] smp::SpinLock& lock() RETURN_CAPABILITY(lock_) { return lock_; }

    // A number that no living thread has. Numbers are not reused before the counter wraps at kMaxThreadId.
    [[nodiscard]] i32 allocate_tid();
    // Fails with Error::Interrupted when the process is ending: the thread must not start.
    [[nodiscard]] Result<> add(Task& task);
    // Returns true when `task` was the last one. Its pending signals are discarded with it: nobody finds them any more.
    [[nodiscard]] bool remove(Task& task);
    [[nodiscard]] Ref<Task> find(i32 tid);
    [[nodiscard]] bool contains(i32 tid);
    // The number that was given out last.
    [[nodiscard]] i32 last_tid();
    [[nodiscard]] u32 count() const { return count_.load(std::memory_order_relaxed); }

    // The n-th tid at or above `from`, for /proc/self/task; 0 at the end.
    [[nodiscard]] i32 next_tid_from(i32 from);

    [[nodiscard]] Task* find_locked(i32 tid) REQUIRES(lock_);
    template <class Function>
    void for_each_locked(Function&& function) REQUIRES(lock_) {
        for (Task& task : tasks_) function(task);
    }

    // Frees the queue entries that a sender in interrupt context could not free. Thread context, lock not held.
    void release_discarded();

    // Guarded by lock(). sched::WaitQueue has its own lock; it is only woken under this one.
    SigAction actions[kSignalCount];  // index: signal - 1
    PendingSignals pending;
    IntrusiveList<QueuedSignal, &QueuedSignal::node> discarded;
    bool ending = false;              // begin_exit ran: only SIGKILL matters from now on
    bool stopped = false;             // a stop signal was taken and no SIGCONT came since
    sched::WaitQueue stop_queue;
    sched::WaitQueue signal_queue;    // woken at each new pending signal: signalfd
    Nanoseconds ended_cpu_time;       // of threads that are gone

  private:
    static constexpr size_t kBuckets = 256;
    using TidList = IntrusiveList<Task, &Task::hash_node>;
    [[nodiscard]] TidList& bucket(i32 tid) REQUIRES(lock_) { return by_tid_[static_cast<u32>(tid) % kBuckets]; }

    smp::SpinLock lock_{smp::LockRank::ThreadGroup, "thread group"};
    IntrusiveList<Task, &Task::group_node> tasks_ GUARDED_BY(lock_);
    TidList by_tid_[kBuckets] GUARDED_BY(lock_);
    i32 next_tid_ GUARDED_BY(lock_);
    std::atomic<u32> count_{0};  // changed under lock_; read bare for statistics
};

}  // namespace tutti::linux_abi
