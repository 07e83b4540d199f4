// SPDX-License-Identifier: BSD-3-Clause
// A sleeping lock: one compare-and-swap when nobody competes, a short spin while the owner runs, then sleep.
//
//   word_:  owner's Thread address | kHasWaiters
//
//     0 --lock--> owner --unlock--> 0                                 fast paths
//     owner | W --unlock, under queue_lock_--> W        and the first waiter is woken; whoever comes first takes it
//                                      --> waiter | W   when that waiter has been passed over before: hand-over
//
// Waiters are queued first in, first out. A woken waiter may lose to a newcomer once; then it is starved, and the next
// unlock hands the mutex to it. W is set whenever the queue is not empty; only a holder of queue_lock_ clears it.
//
// Thread context for lock forms; unlock by the owner. Not recursive. Must not be held when the thread ends.
#pragma once

#include <atomic>

#include "base/intrusive_list.hpp"
#include "base/result.hpp"
#include "sched/wait/wait_mode.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::sched {

class Thread;

class CAPABILITY("mutex") Mutex {
  public:
    constexpr Mutex() = default;
    Mutex(Mutex const&) = delete;
    Mutex& operator=(Mutex const&) = delete;
    ~Mutex() { ASSERT(word_.load(std::memory_order_relaxed) == 0, "mutex destroyed while held"); }

    void lock() ACQUIRE();
    [[nodiscard]] bool try_lock() TRY_ACQUIRE(true);
    // Errors: TimedOut, Interrupted; then the mutex is not held.
    [[nodiscard]] Result<> lock_until(Deadline deadline, WaitMode mode) NO_THREAD_SAFETY_ANALYSIS;
    void unlock() RELEASE();
    [[nodiscard]] bool is_held_by_current() const;

  private:
    static constexpr uptr kHasWaiters = 1;
    struct Waiter {
        ListNode node;
        Thread* thread = nullptr;
        std::atomic<bool> woken{false};
        std::atomic<bool> granted{false};
        bool starved = false;
    };

    [[nodiscard]] bool try_lock_word(uptr self);
    [[nodiscard]] bool spin_for_lock(uptr self);
    [[nodiscard]] bool take_or_queue(Waiter& waiter, uptr self);
    Result<> lock_slow(Deadline deadline, WaitMode mode);
    void give_up(Waiter& waiter);
    [[nodiscard]] bool unlock_slow();
    void note_owner_cpu();

    std::atomic<uptr> word_{0};
    std::atomic<u32> owner_cpu_{0};  // where the owner took it: a hint for those who spin
    smp::SpinLock queue_lock_{smp::LockRank::MutexQueue, "mutex queue"};
    IntrusiveList<Waiter, &Waiter::node> waiters_ GUARDED_BY(queue_lock_);
};

class SCOPED_CAPABILITY MutexGuard {
  public:
    explicit MutexGuard(Mutex& mutex) ACQUIRE(mutex) : mutex_{mutex} { mutex_.lock(); }
    MutexGuard(MutexGuard const&) = delete;
    MutexGuard& operator=(MutexGuard const&) = delete;
    ~MutexGuard() RELEASE() { mutex_.unlock(); }

  private:
    Mutex& mutex_;
};

}  // namespace tutti::sched
