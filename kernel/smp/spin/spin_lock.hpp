// SPDX-License-Identifier: BSD-3-Clause
// The spin locks of the kernel: a raw algorithm with a rank and a name, the proof of the caller's rung, and what debug
// builds check (lock_debug.hpp). Release builds are the raw algorithm and nothing else. Guards: spin.hpp.
//
// Misuse panics in debug builds and is undefined in release builds: taken twice by one CPU, released by a CPU that does
// not hold it, taken out of order or on a wrong rung, destroyed while held.
#pragma once

#include <concepts>

#include "smp/context/context.hpp"
#include "smp/spin/lock_debug.hpp"
#include "smp/spin/queued_lock.hpp"
#include "smp/spin/tas_lock.hpp"
#include "smp/spin/ticket_lock.hpp"

namespace tutti::smp {

template <class Raw>
class CAPABILITY("spin lock") BasicSpinLock {
  public:
    constexpr BasicSpinLock(LockRank rank, char const* name) : debug_{rank, name} {}
    BasicSpinLock(BasicSpinLock const&) = delete;
    BasicSpinLock& operator=(BasicSpinLock const&) = delete;

    template <std::derived_from<NoPreempt> Rung>
    void lock(Rung const&) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        note_form<Rung>();
        debug_.before_lock();
        raw_.lock();
        debug_.after_lock();
    }
    // While another lock of the same rank is held.
    template <std::derived_from<NoPreempt> Rung>
    void lock(Rung const&, SameRank reason) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        note_form<Rung>();
        debug_.before_lock(reason);
        raw_.lock();
        debug_.after_lock();
    }
    // False: held by somebody (the caller included). In any order: what does not wait does not deadlock.
    [[nodiscard]] bool try_lock(NoPreempt const&) TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS {
        if (!raw_.try_lock()) return false;
        debug_.after_try_lock();
        return true;
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        raw_.unlock();
    }
    // A hint: stale at once unless the caller holds it.
    [[nodiscard]] bool is_locked() const { return raw_.is_locked(); }
    // For tests.
    [[nodiscard]] Raw const& raw() const { return raw_; }

  private:
    // For tools/isrcheck: interrupt handlers use the forms with interrupts off, non-maskable ones none.
    template <class Rung>
    ALWAYS_INLINE static void note_form() {
        if constexpr (std::derived_from<Rung, IrqOff>)
            ISR_NOTE("irq-lock", "interrupts off");
        else
            ISR_NOTE("plain-lock", "preemption off");
    }

    Raw raw_;
    [[no_unique_address]] LockDebug debug_;
};

using TasSpinLock = BasicSpinLock<RawTasLock>;
using TicketLock = BasicSpinLock<RawTicketLock>;
using QueuedSpinLock = BasicSpinLock<RawQueuedLock>;
// What to use when there is no reason for another.
using SpinLock = QueuedSpinLock;

}  // namespace tutti::smp
