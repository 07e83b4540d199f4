// SPDX-License-Identifier: BSD-3-Clause
// Waiting for a condition over data that a Mutex guards. wait() releases the mutex and sleeps in one step as far as
// notify is concerned: the thread is in the queue before it releases.
#pragma once

#include "sched/wait/mutex.hpp"
#include "sched/wait/wait_queue.hpp"

namespace tutti::sched {

class ConditionVariable {
  public:
    constexpr ConditionVariable() = default;

    // One notify, or nothing at all (spurious): test the condition again. The mutex is held again afterwards, also after
    // an error (TimedOut, Interrupted). Thread context, mutex held.
    Result<> wait(Mutex& mutex, Deadline deadline = kNever, WaitMode mode = WaitMode::Uninterruptible)
        REQUIRES(mutex) EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        WaitQueue::Entry entry;
        queue_.add(entry);
        mutex.unlock();
        Result<> result = park_until([&] { return entry.is_woken(); }, deadline, mode);
        bool const chosen = !queue_.remove(entry);
        mutex.lock();
        if (chosen) return {};
        return result;
    }
    // Until condition() is true, tested with the mutex held.
    template <class Condition>
    Result<> wait_until(Mutex& mutex, Condition&& condition, Deadline deadline = kNever,
                        WaitMode mode = WaitMode::Uninterruptible)
        REQUIRES(mutex) EXCLUDES(smp::wake_path) {
        while (!condition()) {
            Result<> const waited = wait(mutex, deadline, mode);
            if (!waited) return condition() ? Result<>{} : waited;
        }
        return {};
    }

    // With or without the mutex. Up to Isr context.
    void notify_one() { queue_.wake_one(); }
    void notify_all() { queue_.wake_all(); }

  private:
    WaitQueue queue_;
};

}  // namespace tutti::sched
