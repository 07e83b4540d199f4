// SPDX-License-Identifier: BSD-3-Clause
// Spin locks and their guards. The caller names the interrupt policy at each use:
//
//   SpinLock lock_{LockRank::Driver, "what it guards"};
//   SpinGuard guard{lock_};       preemption off: for locks that no interrupt handler takes
//   SpinIrqGuard guard{lock_};    interrupts off and restored: for locks that a handler takes too
//   SpinTryGuard guard{lock_};    if (guard) ...
//
// A guard is the proof of its rung. Sections are short: no blocking, no page fault that is not known to be resolved
// without blocking, no waiting for other CPUs.
#pragma once

#include "smp/spin/queued_lock.hpp"
#include "smp/spin/ticket_lock.hpp"

namespace tutti::smp {

using SpinLock = QueuedSpinLock;

template <class Lock>
class SCOPED_CAPABILITY SpinGuard : public NoPreempt {
  public:
    explicit SpinGuard(Lock& lock) ACQUIRE(lock) : lock_{lock} {
        preempt_disable();
        lock_.lock(*this);
    }
    SpinGuard(Lock& lock, SameRank reason) ACQUIRE(lock) : lock_{lock} {
        preempt_disable();
        lock_.lock(*this, reason);
    }
    ~SpinGuard() RELEASE() {
        lock_.unlock();
        preempt_enable();
    }

  private:
    Lock& lock_;
};

template <class Lock>
class SCOPED_CAPABILITY SpinIrqGuard : public IrqOff {
  public:
    explicit SpinIrqGuard(Lock& lock) ACQUIRE(lock) : lock_{lock}, before_{arch::disable_interrupts()} {
        lock_.lock(*this);
    }
    SpinIrqGuard(Lock& lock, SameRank reason) ACQUIRE(lock) : lock_{lock}, before_{arch::disable_interrupts()} {
        lock_.lock(*this, reason);
    }
    ~SpinIrqGuard() RELEASE() {
        lock_.unlock();
        arch::restore_interrupts(before_);
        if (arch::interrupts_were_enabled(before_)) preempt_check();
    }

  private:
    Lock& lock_;
    arch::IrqState before_;
};

// Interrupts off; holds the lock only when it tests true.
template <class Lock>
class SpinTryIrqGuard : public IrqOff {
  public:
    explicit SpinTryIrqGuard(Lock& lock) NO_THREAD_SAFETY_ANALYSIS
        : lock_{lock}, before_{arch::disable_interrupts()}, held_{lock.try_lock(*this)} {}
    ~SpinTryIrqGuard() NO_THREAD_SAFETY_ANALYSIS {
        if (held_) lock_.unlock();
        arch::restore_interrupts(before_);
        if (arch::interrupts_were_enabled(before_)) preempt_check();
    }
    explicit operator bool() const { return held_; }

  private:
    Lock& lock_;
    arch::IrqState before_;
    bool held_;
};

// Preemption off; holds the lock only when it tests true.
template <class Lock>
class SpinTryGuard : public NoPreempt {
  public:
    explicit SpinTryGuard(Lock& lock) NO_THREAD_SAFETY_ANALYSIS : lock_{lock} {
        preempt_disable();
        held_ = lock_.try_lock(*this);
    }
    ~SpinTryGuard() NO_THREAD_SAFETY_ANALYSIS {
        if (held_) lock_.unlock();
        preempt_enable();
    }
    explicit operator bool() const { return held_; }

  private:
    Lock& lock_;
    bool held_ = false;
};

}  // namespace tutti::smp
