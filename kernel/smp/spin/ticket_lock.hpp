// SPDX-License-Identifier: BSD-3-Clause
// FIFO ticket lock: one word, every waiter spins on it. For short sections with few waiters, where order matters.
//
//   word:  31..16 next ticket   15..0 ticket being served        free when both halves are equal
//
// Up to 65535 waiters. Progress: blocking, FIFO: also under a hypervisor, where a waiter that has lost its processor stops
// those behind it. ISR-safe when every holder has interrupts off. Acquisition is ordered by the acquire load that sees
// the holder's release store of the served half.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "base/types.hpp"

namespace tutti::smp {

class RawTicketLock {
  public:
    void lock() {
        // acquire: pairs with the release in unlock(), when the lock is free.
        u32 const found = word_.fetch_add(kTicket, std::memory_order_acquire);
        u32 const drawn = found >> 16;
        if ((found & kServed) == drawn) [[likely]] return;
        while (true) {
            // acquire: pairs with the release in unlock().
            u32 const seen = word_.load(std::memory_order_acquire);
            u32 const ahead = (drawn - seen) & kServed;
            if (ahead == 0) return;
            // Who is far behind looks less often.
            for (u32 i = 0; i < ahead; ++i) arch::wait_for_change(word_, seen);
        }
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
    // Hints: stale at once.
    [[nodiscard]] bool is_locked() const { return holder_and_waiters() != 0; }
    [[nodiscard]] u32 holder_and_waiters() const {
        u32 const seen = word_.load(std::memory_order_relaxed);
        return ((seen >> 16) - seen) & kServed;
    }

  private:
    static constexpr u32 kTicket = 1u << 16;
    static constexpr u32 kServed = 0xffff;
    std::atomic<u32> word_{0};
};

}  // namespace tutti::smp
