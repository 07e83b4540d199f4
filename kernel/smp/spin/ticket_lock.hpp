// SPDX-License-Identifier: BSD-3-Clause
// FIFO ticket lock: one word, every waiter spins on it. For short sections with few waiters, where order matters.
//
//   word:  31..16 next ticket   15..0 ticket being served        free when both halves are equal
//
// Up to 65535 waiters. Progress: blocking, FIFO. Acquisition is ordered by the acquire load that sees the holder's
// release store of the served half.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "smp/context/context.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::smp {

// The algorithm by itself.
class RawTicketLock {
  public:
    void lock() {
        // relaxed: the wait below synchronises.
        u32 const drawn = word_.fetch_add(kTicket, std::memory_order_relaxed) >> 16;
        // acquire: pairs with the release in unlock().
        while ((word_.load(std::memory_order_acquire) & kServed) != drawn) arch::pause();
    }
    [[nodiscard]] bool try_lock() {
        u32 seen = word_.load(std::memory_order_relaxed);
        if ((seen >> 16) != (seen & kServed)) return false;
        // acquire: pairs with the release in unlock().
        return word_.compare_exchange_strong(seen, seen + kTicket, std::memory_order_acquire,
                                             std::memory_order_relaxed);
    }
    void unlock() {
        // Only the holder changes the served half, so a 16-bit store suffices; it must not carry into the other half.
        auto* const served = reinterpret_cast<u16*>(&word_);
        u16 const next = static_cast<u16>(__atomic_load_n(served, __ATOMIC_RELAXED) + 1);
        __atomic_store_n(served, next, __ATOMIC_RELEASE);  // pairs with the acquires above
    }

  private:
    static constexpr u32 kTicket = 1u << 16;
    static constexpr u32 kServed = 0xffff;
    std::atomic<u32> word_{0};
};

class CAPABILITY("spin lock") TicketLock {
  public:
    constexpr TicketLock(LockRank rank, char const* name) : debug_{rank, name} {}
    TicketLock(TicketLock const&) = delete;
    TicketLock& operator=(TicketLock const&) = delete;

    void lock(NoPreempt const&) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock(this);
        raw_.lock();
        debug_.after_lock();
    }
    void lock(NoPreempt const&, SameRank reason) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock(this, reason);
        raw_.lock();
        debug_.after_lock();
    }
    [[nodiscard]] bool try_lock(NoPreempt const&) TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS {
        if (!raw_.try_lock()) return false;
        debug_.after_try_lock();
        return true;
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        raw_.unlock();
    }

  private:
    RawTicketLock raw_;
    [[no_unique_address]] LockDebug debug_;
};

}  // namespace tutti::smp
