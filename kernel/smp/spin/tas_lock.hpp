// SPDX-License-Identifier: BSD-3-Clause
// Test-and-test-and-set lock with bounded backoff: one byte, the cheapest when waiting is rare. Waiters only look until
// the lock is free and then compete.
//
// Progress: blocking; no order among waiters, so one of them may starve while others keep coming. ISR-safe when every
// holder has interrupts off. Invariant: held_ is true exactly while one CPU is between lock() and unlock().
#pragma once

#include <atomic>

#include "base/compiler.hpp"
#include "smp/spin/backoff.hpp"

namespace tutti::smp {

class RawTasLock {
  public:
    void lock() {
        // acquire: pairs with the release in unlock().
        if (held_.exchange(true, std::memory_order_acquire)) [[unlikely]] wait();
    }
    [[nodiscard]] bool try_lock() {
        // relaxed: looks first, so that a failed attempt does not take the line from the holder.
        return !held_.load(std::memory_order_relaxed) && !held_.exchange(true, std::memory_order_acquire);
    }
    void unlock() { held_.store(false, std::memory_order_release); }
    // A hint: stale at once unless the caller holds it.
    [[nodiscard]] bool is_locked() const { return held_.load(std::memory_order_relaxed); }

  private:
    NOINLINE ISR_SAFE void wait() {
        Backoff backoff;
        do {
            // relaxed: a look; the exchange synchronises.
            while (held_.load(std::memory_order_relaxed)) backoff.wait(held_, true);
        } while (held_.exchange(true, std::memory_order_acquire));
    }

    std::atomic<bool> held_{false};
};

}  // namespace tutti::smp
