// SPDX-License-Identifier: BSD-3-Clause
// A flag to wait for. set() releases all waiters, and those to come, until reset().
//
// A thread whose wait() has returned may destroy the event, though set() may not have returned yet: wait() looks at the
// flag under the lock, and set() does not touch the event after it has released that. (is_set() alone does not tell.)
#pragma once

#include "sched/wait/waiter.hpp"

namespace tutti::sched {

class Event {
  public:
    constexpr Event() = default;
    Event(Event const&) = delete;
    Event& operator=(Event const&) = delete;
    ~Event() { CHECK(waiters_.empty(), "event destroyed with waiters"); }

    // Everything before it is visible to the waiters. Up to Isr context.
    void set();
    void reset() { set_.store(false, std::memory_order_relaxed); }
    // Any context.
    [[nodiscard]] bool is_set() const { return set_.load(std::memory_order_acquire); }
    // Errors: TimedOut, Interrupted. Thread context.
    Result<> wait(Deadline deadline = kNever, WaitMode mode = WaitMode::Uninterruptible) EXCLUDES(smp::wake_path);

  private:
    std::atomic<bool> set_{false};
    smp::SpinLock lock_{smp::LockRank::WaitQueue, "event"};
    WaiterQueue waiters_ GUARDED_BY(lock_);
};

}  // namespace tutti::sched
