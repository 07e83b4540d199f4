// SPDX-License-Identifier: BSD-3-Clause
// What debug builds check at every acquisition and release of a spin lock; empty in release builds.
//
//   rung        preemption off
//   rank        higher than that of every lock held on the same rung (thread or interrupt handler)
//   order       not the other way round than it was ever taken (lock_order.hpp)
//   owner       not this CPU before lock(), this CPU at unlock(), nobody at the end of its life
//   interrupts  a lock that an interrupt handler takes is never held elsewhere with interrupts on, nor waited for by
//               somebody who holds one that is
//
// The list of locks held is per CPU: a spin lock is never held across a switch or a return to user mode, which
// check_no_spin_locks_held() checks. A handler's entries lie on top of those of the code that it interrupts and are gone when
// it returns, so the list needs no lock and no masking of interrupts.
#pragma once

#include <atomic>
#include <type_traits>

#include "base/compiler.hpp"
#include "base/types.hpp"
#include "smp/spin/lock_order.hpp"
#include "smp/spin/rank.hpp"

namespace tutti::smp {

class LockDebugOn {
  public:
    constexpr LockDebugOn(LockRank rank, char const* name) : name_{name}, rank_{rank} {}
    // A lock moves before it is shared.
    LockDebugOn(LockDebugOn&& other) noexcept : name_{other.name_}, rank_{other.rank_} {}
    ~LockDebugOn();

    NOINLINE ISR_SAFE void before_lock() { check_before(nullptr); }
    NOINLINE ISR_SAFE void before_lock(SameRank reason) { check_before(&reason); }
    NOINLINE void after_lock();
    void after_try_lock() { after_lock(); }
    NOINLINE void after_lock_shared();
    void before_unlock();
    void before_unlock_shared();
    [[nodiscard]] char const* name() const { return name_; }
    // Never held with interrupts off so far: its holder may wait for other CPUs.
    [[nodiscard]] bool taken_only_with_irqs_on() const { return !taken_with_irqs_off_.load(std::memory_order_relaxed); }

  private:
    void check_before(SameRank const* reason);
    LockClass* lock_class();

    char const* name_;
    std::atomic<LockClass*> class_{nullptr};  // found at the first acquisition
    std::atomic<u32> owner_{0};  // CPU + 1; written by the holder, read by the same CPU or for a message
    std::atomic<bool> taken_with_irqs_off_{false};
    LockRank rank_;
};

class LockDebugOff {
  public:
    constexpr LockDebugOff(LockRank, char const*) {}
    ISR_SAFE void before_lock() {}
    ISR_SAFE void before_lock(SameRank) {}
    void after_lock() {}
    void after_try_lock() {}
    void after_lock_shared() {}
    void before_unlock() {}
    void before_unlock_shared() {}
};

#if defined(TUTTI_HOST)
using LockDebug = LockDebugOff;  // host tests run the algorithms; there are no rungs to check
#else
using LockDebug = std::conditional_t<kDebugBuild, LockDebugOn, LockDebugOff>;
#endif

// How many spin locks this CPU holds (debug builds; 0 in release builds).
[[nodiscard]] u32 spin_locks_held();
// Panics, in debug builds, with what this CPU holds and where it was taken, when that is anything. `when`: "at a switch".
void check_no_spin_locks_held(char const* when);
// On the early console: the locks that this CPU holds and where they were taken.
void print_held_spin_locks();
// Forgets what this CPU holds; the locks stay locked. Interrupts off. For abandon_rungs()'s caller.
void forget_held_spin_locks();
// Panics when this CPU holds a spin lock that is also taken with interrupts off: waiting for another CPU would deadlock.
void check_may_wait_for_cpus();

}  // namespace tutti::smp
