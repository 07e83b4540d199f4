// SPDX-License-Identifier: BSD-3-Clause
// Reader-writer spin lock, phase-fair: readers and writers take turns, so neither starves. A reader waits for at most
// one writer, a writer for the readers of one phase (Brandenburg, Anderson, "Spin-Based Reader-Writer Synchronization
// for Multiprocessor Real-Time Systems", Real-Time Systems 46(1), 2010: PF-T).
//
//   readers_in_   31..8 readers that arrived   1 a writer is present   0 parity of its phase
//   readers_out_  31..8 readers that left
//
// Progress: blocking, starvation-free; the try forms never wait. ISR-safe when every holder has interrupts off. A reader
// must not acquire it again: a writer between the two would deadlock. The counters may wrap; fewer than 2^24 readers and
// 2^32 writers are present at a time.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::smp {

// The algorithm by itself.
class RawPhaseFairLock {
  public:
    void lock_shared() {
        // acquire: pairs with the release of the writer that ended last.
        u32 const writer = readers_in_.fetch_add(kReader, std::memory_order_acquire) & kWriterBits;
        if (writer == 0) return;
        // The phase that we found has to end; a later writer has the other parity.
        u32 seen = 0;
        while (((seen = readers_in_.load(std::memory_order_acquire)) & kWriterBits) == writer)
            arch::wait_for_change(readers_in_, seen);
    }
    // False: a writer holds it or waits for it.
    [[nodiscard]] bool try_lock_shared() {
        u32 seen = readers_in_.load(std::memory_order_relaxed);
        while ((seen & kWriterBits) == 0)
            // acquire: as in lock_shared(). Fails only when others arrive, and then looks again.
            if (readers_in_.compare_exchange_weak(seen, seen + kReader, std::memory_order_acquire,
                                                  std::memory_order_relaxed))
                return true;
        return false;
    }
    void unlock_shared() {
        // release: our reads come before the writer that counts us out (its acquire load).
        readers_out_.fetch_add(kReader, std::memory_order_release);
    }
    void lock() {
        u32 const ticket = writers_in_.fetch_add(1, std::memory_order_relaxed);
        // acquire: pairs with the release of the writer before us.
        u32 served = 0;
        while ((served = writers_out_.load(std::memory_order_acquire)) != ticket)
            arch::wait_for_change(writers_out_, served);
        u32 const bits = kPresent | (ticket & 1);
        // relaxed: readers that come later see the bits and wait for unlock(); those that came before are counted, and
        // synchronise when they leave. The word itself keeps the last unlock()'s release, as all changes of it do.
        u32 const arrived = readers_in_.fetch_add(bits, std::memory_order_relaxed) & ~kWriterBits;
        // acquire: pairs with unlock_shared().
        u32 left = 0;
        while ((left = readers_out_.load(std::memory_order_acquire)) != arrived)
            arch::wait_for_change(readers_out_, left);
    }
    // False: a writer or a reader is there.
    [[nodiscard]] bool try_lock() {
        // acquire: pairs with the release of the last writer.
        u32 ticket = writers_out_.load(std::memory_order_acquire);
        if (readers_in_.load(std::memory_order_relaxed) != readers_out_.load(std::memory_order_relaxed)) return false;
        // Fails when a writer is there, or comes. relaxed: the load above has synchronised.
        if (!writers_in_.compare_exchange_strong(ticket, ticket + 1, std::memory_order_relaxed)) return false;
        // From here on as lock(), but readers that came meanwhile are not waited for: those that arrive behind our bits
        // go on as if a writer had come and gone.
        u32 const arrived =
            readers_in_.fetch_add(kPresent | (ticket & 1), std::memory_order_relaxed) & ~kWriterBits;
        if (readers_out_.load(std::memory_order_acquire) == arrived) return true;
        unlock();
        return false;
    }
    void unlock() {
        // release, twice: our writes come before the waiting readers' and before the next writer's sections.
        readers_in_.fetch_and(~kWriterBits, std::memory_order_release);
        writers_out_.store(writers_out_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

  private:
    static constexpr u32 kReader = 0x100;
    static constexpr u32 kPresent = 2;
    static constexpr u32 kWriterBits = 3;
    std::atomic<u32> readers_in_{0};
    std::atomic<u32> readers_out_{0};
    std::atomic<u32> writers_in_{0};
    std::atomic<u32> writers_out_{0};
};

// A reader-writer spin lock with rank, proofs and debug checks over a raw algorithm; see BasicSpinLock. Both sides count
// as acquisitions for the order of locks: a reader waits for writers.
template <class Raw>
class CAPABILITY("spin lock") BasicSpinRwLock {
  public:
    constexpr BasicSpinRwLock(LockRank rank, char const* name) : debug_{rank, name} {}
    BasicSpinRwLock(Raw&& raw, LockRank rank, char const* name) : raw_{std::move(raw)}, debug_{rank, name} {}
    // Before the lock is shared.
    BasicSpinRwLock(BasicSpinRwLock&& other) noexcept = default;

    void lock_shared(NoPreempt const& here) ACQUIRE_SHARED() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock();
        if constexpr (kNeedsProof) raw_.lock_shared(here);
        else raw_.lock_shared();
        debug_.after_lock_shared();
    }
    [[nodiscard]] bool try_lock_shared(NoPreempt const& here) TRY_ACQUIRE_SHARED(true) NO_THREAD_SAFETY_ANALYSIS {
        bool taken;
        if constexpr (kNeedsProof) taken = raw_.try_lock_shared(here);
        else taken = raw_.try_lock_shared();
        if (taken) debug_.after_lock_shared();
        return taken;
    }
    void unlock_shared() RELEASE_SHARED() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock_shared();
        raw_.unlock_shared();
    }
    void lock(NoPreempt const&) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock();
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
    static constexpr bool kNeedsProof = requires(Raw& raw, NoPreempt const& here) { raw.lock_shared(here); };
    Raw raw_;
    [[no_unique_address]] LockDebug debug_;
};

using SpinRwLock = BasicSpinRwLock<RawPhaseFairLock>;

// The reading side; the forms are those of spin.hpp.
template <class Lock, class Rung>
class SCOPED_CAPABILITY SharedLockGuard : public Rung {
  public:
    ISR_SAFE explicit SharedLockGuard(Lock& lock) ACQUIRE_SHARED(lock) : lock_{lock} { lock_.lock_shared(*this); }
    template <class Own = Rung>
        requires std::is_same_v<Own, CallersRung>
    ISR_SAFE SharedLockGuard(Lock& lock, NoPreempt const& here) ACQUIRE_SHARED(lock) : Rung{here}, lock_{lock} {
        lock_.lock_shared(*this);
    }
    ISR_SAFE ~SharedLockGuard() RELEASE() { lock_.unlock_shared(); }

  private:
    Lock& lock_;
};
template <class Lock, class Rung>
class TrySharedLockGuard : public Rung {
  public:
    ISR_SAFE explicit TrySharedLockGuard(Lock& lock) NO_THREAD_SAFETY_ANALYSIS : lock_{lock}, held_{lock.try_lock_shared(*this)} {}
    template <class Own = Rung>
        requires std::is_same_v<Own, CallersRung>
    ISR_SAFE TrySharedLockGuard(Lock& lock, NoPreempt const& here) NO_THREAD_SAFETY_ANALYSIS : Rung{here}, lock_{lock}, held_{lock.try_lock_shared(*this)} {}
    ISR_SAFE ~TrySharedLockGuard() NO_THREAD_SAFETY_ANALYSIS {
        if (held_) lock_.unlock_shared();
    }
    [[nodiscard]] explicit operator bool() const { return held_; }

  private:
    Lock& lock_;
    bool held_;
};

template <class Lock>
using SpinReadGuard = SharedLockGuard<Lock, PreemptGuard>;
template <class Lock>
using SpinReadIrqGuard = SharedLockGuard<Lock, IrqOffGuard>;
template <class Lock>
using SpinReadIrqOffGuard = SharedLockGuard<Lock, IrqsOnToOffGuard>;
template <class Lock>
using SpinReadPlainGuard = SharedLockGuard<Lock, CallersRung>;
template <class Lock>
using SpinTryReadGuard = TrySharedLockGuard<Lock, PreemptGuard>;
template <class Lock>
using SpinTryReadIrqGuard = TrySharedLockGuard<Lock, IrqOffGuard>;
template <class Lock>
using SpinTryReadIrqOffGuard = TrySharedLockGuard<Lock, IrqsOnToOffGuard>;
template <class Lock>
using SpinTryReadPlainGuard = TrySharedLockGuard<Lock, CallersRung>;

// The writing side: as for any spin lock.
template <class Lock>
using SpinWriteGuard = SpinGuard<Lock>;
template <class Lock>
using SpinWriteIrqGuard = SpinIrqGuard<Lock>;
template <class Lock>
using SpinTryWriteGuard = SpinTryGuard<Lock>;
template <class Lock>
using SpinTryWriteIrqGuard = SpinTryIrqGuard<Lock>;

}  // namespace tutti::smp
