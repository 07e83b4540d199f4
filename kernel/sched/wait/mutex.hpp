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
// Thread context for lock forms; unlock by the owner. Not recursive (RecursiveMutex is). Must not be held when the thread
// ends. Misuse panics in all builds: unlock by another, a second lock by the owner, destruction while held.
#pragma once

#include <atomic>

#include "base/intrusive_list.hpp"
#include "base/result.hpp"
#include "sched/current.hpp"
#include "sched/wait/blocking_lock_debug.hpp"
#include "sched/wait/wait_mode.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::sched {

class CAPABILITY("mutex") Mutex {
  public:
    // For the order that debug builds learn: a name, or the place of construction.
    constexpr Mutex(LockName name = LockName::of_place()) : debug_{name} {}
    Mutex(Mutex const&) = delete;
    Mutex& operator=(Mutex const&) = delete;
    ~Mutex() { CHECK(word_.load(std::memory_order_relaxed) == 0, "mutex destroyed while held"); }

    void lock() ACQUIRE() EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        smp::might_sleep();
        debug_.before_lock();
        uptr expected = 0;
        // acquire: pairs with the release in unlock().
        if (!word_.compare_exchange_strong(expected, self(), std::memory_order_acquire, std::memory_order_relaxed))
            [[unlikely]] (void)lock_slow(kNever, WaitMode::Uninterruptible);  // cannot fail
        note_owner();
    }
    [[nodiscard]] bool try_lock() TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS {
        if (!try_lock_word(self())) return false;
        note_owner();
        return true;
    }
    // Errors: TimedOut, Interrupted; then the mutex is not held. Outside the analysis: take a guard with kAdoptLock.
    [[nodiscard]] Result<> lock_until(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path) {
        smp::might_sleep();
        debug_.before_lock();
        if (!try_lock_word(self())) [[unlikely]] TRY(lock_slow(deadline, mode));
        note_owner();
        return {};
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        uptr expected = self();
        // release: pairs with the acquires of the next owner.
        if (!word_.compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
            unlock_slow();
    }
    [[nodiscard]] bool is_held_by_current() const {
        return (word_.load(std::memory_order_relaxed) & ~kHasWaiters) == self();
    }

  private:
    static constexpr uptr kHasWaiters = 1;
    struct Waiter {
        ListNode node;
        Thread* thread = nullptr;
        std::atomic<bool> woken{false};
        std::atomic<bool> granted{false};
        bool starved = false;
    };

    [[nodiscard]] static uptr self() { return reinterpret_cast<uptr>(&current()); }
    // Takes a free mutex, whether or not others wait.
    [[nodiscard]] bool try_lock_word(uptr owner) {
        uptr word = word_.load(std::memory_order_relaxed);
        while ((word & ~kHasWaiters) == 0)
            // acquire: pairs with the release in unlock().
            if (word_.compare_exchange_weak(word, owner | word, std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }
    void note_owner() {
        // relaxed: a hint. Behind the compare-and-swap this store goes to a cache line that is ours.
        owner_cpu_.store(smp::this_cpu_unstable().value(), std::memory_order_relaxed);
        debug_.after_lock();
    }

    [[nodiscard]] bool spin_for_lock(uptr self);
    [[nodiscard]] bool take_or_queue(Waiter& waiter, uptr self);
    Result<> lock_slow(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);
    void give_up(Waiter& waiter);
    void unlock_slow();
    [[nodiscard]] bool unlock_contended();

    std::atomic<uptr> word_{0};
    std::atomic<u32> owner_cpu_{0};  // where the owner took it: a hint for those who spin
    smp::SpinLock queue_lock_{smp::LockRank::MutexQueue, "mutex queue"};
    IntrusiveList<Waiter, &Waiter::node> waiters_ GUARDED_BY(queue_lock_);
    [[no_unique_address]] BlockingLockDebug debug_;
};

// For guards: the lock has been taken with lock_until().
struct AdoptLock {};
inline constexpr AdoptLock kAdoptLock{};

class SCOPED_CAPABILITY MutexGuard {
  public:
    explicit MutexGuard(Mutex& mutex) ACQUIRE(mutex) EXCLUDES(smp::wake_path) : mutex_{mutex} { mutex_.lock(); }
    MutexGuard(Mutex& mutex, AdoptLock) ACQUIRE(mutex) NO_THREAD_SAFETY_ANALYSIS : mutex_{mutex} {
        ASSERT(mutex_.is_held_by_current());
    }
    MutexGuard(MutexGuard const&) = delete;
    MutexGuard& operator=(MutexGuard const&) = delete;
    ~MutexGuard() RELEASE() { mutex_.unlock(); }

  private:
    Mutex& mutex_;
};

}  // namespace tutti::sched
