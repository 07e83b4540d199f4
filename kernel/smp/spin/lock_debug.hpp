// SPDX-License-Identifier: BSD-3-Clause
// What debug builds check at every acquisition and release of a spin lock; empty in release builds.
//
//   rank       higher than that of every lock held on the same rung (thread or interrupt handler)
//   owner      not this CPU before lock(), this CPU at unlock()
//   interrupts a lock that an interrupt handler takes is never held elsewhere with interrupts on
//
// The list of locks held is per CPU: a spin lock is never held across a switch, which the scheduler checks.
#pragma once

#include <atomic>
#include <type_traits>

#include "base/compiler.hpp"
#include "base/types.hpp"
#include "smp/spin/rank.hpp"

namespace tutti::smp {

class LockDebugOn {
  public:
    constexpr LockDebugOn(LockRank rank, char const* name) : name_{name}, rank_{rank} {}

    void before_lock(void const* lock) { check_before(lock, false); }
    void before_lock(void const* lock, SameRank) { check_before(lock, true); }
    void after_lock();
    void after_try_lock() { after_lock(); }
    void before_unlock();
    [[nodiscard]] char const* name() const { return name_; }
    // Never held with interrupts off so far: its holder may wait for other CPUs.
    [[nodiscard]] bool taken_only_with_irqs_on() const {
        return (seen_.load(std::memory_order_relaxed) & ~kTakenWithIrqsOn) == 0;
    }

  private:
    void check_before(void const* lock, bool same_rank_allowed);

    static constexpr u8 kTakenInIsr = 1;
    static constexpr u8 kTakenWithIrqsOn = 2;
    static constexpr u8 kTakenWithIrqsOff = 4;

    char const* name_;
    std::atomic<u32> owner_{0};  // CPU + 1; written by the holder, read by the same CPU or for a message
    std::atomic<u8> seen_{0};
    LockRank rank_;
};

class LockDebugOff {
  public:
    constexpr LockDebugOff(LockRank, char const*) {}
    void before_lock(void const*) {}
    void before_lock(void const*, SameRank) {}
    void after_lock() {}
    void after_try_lock() {}
    void before_unlock() {}
};

#if defined(TUTTI_HOST)
using LockDebug = LockDebugOff;  // host tests run the algorithms; there are no rungs to check
#else
using LockDebug = std::conditional_t<kDebugBuild, LockDebugOn, LockDebugOff>;
#endif

// How many spin locks this CPU holds (debug builds; 0 in release builds): the scheduler's check at a switch.
[[nodiscard]] u32 spin_locks_held();
// Forgets what this CPU holds; the locks stay locked. Interrupts off. For abandon_rungs()'s caller.
void forget_held_spin_locks();
// Panics when this CPU holds a spin lock that is also taken with interrupts off: waiting for another CPU would deadlock.
void check_may_wait_for_cpus();

}  // namespace tutti::smp
