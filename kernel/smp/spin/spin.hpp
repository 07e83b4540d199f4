// SPDX-License-Identifier: BSD-3-Clause
// Spin locks and their guards. The caller names the interrupt policy at each use:
//
//   SpinLock lock_{LockRank::Driver, "what it guards"};
//   SpinGuard guard{lock_};             preemption off: for locks that no interrupt handler takes
//   SpinIrqGuard guard{lock_};          interrupts off, then as they were: for locks that a handler takes too
//   SpinIrqOffGuard guard{lock_};       interrupts off, then on: where they are known to be on
//   SpinPlainGuard guard{lock_, here};  the caller is on the right rung already and proves it
//   SpinTry...Guard guard{lock_};       each of them, without waiting: if (guard) ...
//
// A guard is the proof of its rung. Sections are short: no blocking, no page fault that is not known to be resolved
// without blocking, no waiting for other CPUs. Which lock: docs/locks.md.
#pragma once

#include "smp/spin/spin_lock.hpp"

namespace tutti::smp {

// The caller's own rung, as a base of guards that change nothing about it.
class CallersRung : public NoPreempt {
  public:
    explicit CallersRung(NoPreempt const&) {}
};

// Holds a lock on the rung that its base makes: the base comes first and goes last.
template <class Lock, class Rung>
class SCOPED_CAPABILITY LockGuard : public Rung {
  public:
    ISR_SAFE explicit LockGuard(Lock& lock) ACQUIRE(lock) : lock_{lock} { lock_.lock(*this); }
    ISR_SAFE LockGuard(Lock& lock, SameRank reason) ACQUIRE(lock) : lock_{lock} { lock_.lock(*this, reason); }
    template <class Own = Rung>
        requires std::is_same_v<Own, CallersRung>
    ISR_SAFE LockGuard(Lock& lock, NoPreempt const& here) ACQUIRE(lock) : Rung{here}, lock_{lock} {
        lock_.lock(*this);
    }
    ISR_SAFE ~LockGuard() RELEASE() { lock_.unlock(); }

  private:
    Lock& lock_;
};

// Holds the lock only when it tests true; on the rung either way.
template <class Lock, class Rung>
class TryLockGuard : public Rung {
  public:
    ISR_SAFE explicit TryLockGuard(Lock& lock) NO_THREAD_SAFETY_ANALYSIS : lock_{lock}, held_{lock.try_lock(*this)} {}
    template <class Own = Rung>
        requires std::is_same_v<Own, CallersRung>
    ISR_SAFE TryLockGuard(Lock& lock, NoPreempt const& here) NO_THREAD_SAFETY_ANALYSIS : Rung{here}, lock_{lock}, held_{lock.try_lock(*this)} {}
    ISR_SAFE ~TryLockGuard() NO_THREAD_SAFETY_ANALYSIS {
        if (held_) lock_.unlock();
    }
    [[nodiscard]] explicit operator bool() const { return held_; }

  private:
    Lock& lock_;
    bool held_;
};

template <class Lock>
using SpinGuard = LockGuard<Lock, PreemptGuard>;
template <class Lock>
using SpinIrqGuard = LockGuard<Lock, IrqOffGuard>;
template <class Lock>
using SpinIrqOffGuard = LockGuard<Lock, IrqsOnToOffGuard>;
template <class Lock>
using SpinPlainGuard = LockGuard<Lock, CallersRung>;

template <class Lock>
using SpinTryGuard = TryLockGuard<Lock, PreemptGuard>;
template <class Lock>
using SpinTryIrqGuard = TryLockGuard<Lock, IrqOffGuard>;
template <class Lock>
using SpinTryIrqOffGuard = TryLockGuard<Lock, IrqsOnToOffGuard>;
template <class Lock>
using SpinTryPlainGuard = TryLockGuard<Lock, CallersRung>;

}  // namespace tutti::smp
