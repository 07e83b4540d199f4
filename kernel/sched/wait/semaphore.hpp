// SPDX-License-Identifier: BSD-3-Clause
// A counting semaphore. up() may be called from an interrupt handler; while threads wait it hands its unit to the one
// that has waited longest, so nobody is passed over.
//
//   word:  count << 1 | kHasWaiters         never both: units are there only while nobody waits
//
// kHasWaiters changes under lock_ only, and while it is set nothing else changes the word.
#pragma once

#include "sched/wait/waiter.hpp"

namespace tutti::sched {

class Semaphore {
  public:
    static constexpr u32 kMaximum = 0x7fff'ffff;

    constexpr explicit Semaphore(u32 initial) : word_{initial << 1} {
        CHECK(initial <= kMaximum, "semaphore starts with more than it can hold");
    }
    Semaphore(Semaphore const&) = delete;
    Semaphore& operator=(Semaphore const&) = delete;
    ~Semaphore() { CHECK(waiters_.empty(), "semaphore destroyed with waiters"); }

    // Any context.
    [[nodiscard]] bool try_down() {
        u32 word = word_.load(std::memory_order_relaxed);
        while (word >= kUnit)
            // acquire: pairs with the release in up().
            if (word_.compare_exchange_weak(word, word - kUnit, std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }
    // Thread context, as down_until().
    void down() EXCLUDES(smp::wake_path) { (void)down_until(kNever, WaitMode::Uninterruptible); }
    // Errors: TimedOut, Interrupted; then nothing was taken.
    [[nodiscard]] Result<> down_until(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path) {
        smp::might_sleep();
        if (try_down()) return {};
        return down_slow(deadline, mode);
    }
    // Error::Overflow beyond kMaximum; then nothing was added. Up to Isr context.
    Result<> up() {
        u32 word = word_.load(std::memory_order_relaxed);
        while (true) {
            if ((word & kHasWaiters) != 0) {
                if (hand_over()) return {};
                word = word_.load(std::memory_order_relaxed);
                continue;
            }
            if (word >= kMaximum * kUnit) return fail(Error::Overflow);
            // release: pairs with the acquire in try_down().
            if (word_.compare_exchange_weak(word, word + kUnit, std::memory_order_release, std::memory_order_relaxed))
                return {};
        }
    }
    // A look that may be old.
    [[nodiscard]] u32 count() const { return word_.load(std::memory_order_relaxed) / kUnit; }

  private:
    static constexpr u32 kHasWaiters = 1;
    static constexpr u32 kUnit = 2;

    Result<> down_slow(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);
    // False: the waiters have given up meanwhile.
    [[nodiscard]] bool hand_over();

    std::atomic<u32> word_;
    smp::SpinLock lock_{smp::LockRank::WaitQueue, "semaphore"};
    WaiterQueue waiters_ GUARDED_BY(lock_);
};

}  // namespace tutti::sched
