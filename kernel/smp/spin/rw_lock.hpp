// SPDX-License-Identifier: BSD-3-Clause
// Reader-writer spin lock, phase-fair: readers and writers take turns, so neither starves. A reader waits for at most
// one writer, a writer for the readers of one phase (Brandenburg, Anderson, "Spin-Based Reader-Writer Synchronization
// for Multiprocessor Real-Time Systems", Real-Time Systems 46(1), 2010: PF-T).
//
//   readers_in_   31..8 readers that arrived   1 a writer is present   0 parity of its phase
//   readers_out_  31..8 readers that left
//
// Progress: blocking, starvation-free. A reader must not acquire it again: a writer between the two would deadlock.
#pragma once

#include <atomic>

#include "arch/cpu.hpp"
#include "smp/context/context.hpp"
#include "smp/spin/lock_debug.hpp"

namespace tutti::smp {

// The algorithm by itself.
class RawPhaseFairLock {
  public:
    void lock_shared() {
        // acquire: pairs with the release of the writer that ended last.
        u32 const writer = readers_in_.fetch_add(kReader, std::memory_order_acquire) & kWriterBits;
        if (writer == 0) return;
        // The phase that we found has to end; a later writer has the other parity.
        while ((readers_in_.load(std::memory_order_acquire) & kWriterBits) == writer) arch::pause();
    }
    void unlock_shared() {
        // release: our reads come before the writer that counts us out (its acquire load).
        readers_out_.fetch_add(kReader, std::memory_order_release);
    }
    void lock() {
        u32 const ticket = writers_in_.fetch_add(1, std::memory_order_relaxed);
        // acquire: pairs with the release of the writer before us.
        while (writers_out_.load(std::memory_order_acquire) != ticket) arch::pause();
        u32 const bits = kPresent | (ticket & 1);
        // acquire/release: readers that come later see us; those that came before are counted.
        u32 const arrived = readers_in_.fetch_add(bits, std::memory_order_acq_rel) & ~kWriterBits;
        // acquire: pairs with unlock_shared().
        while (readers_out_.load(std::memory_order_acquire) != arrived) arch::pause();
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

class CAPABILITY("spin lock") SpinRwLock {
  public:
    constexpr SpinRwLock(LockRank rank, char const* name) : debug_{rank, name} {}
    SpinRwLock(SpinRwLock const&) = delete;
    SpinRwLock& operator=(SpinRwLock const&) = delete;

    void lock_shared(NoPreempt const&) ACQUIRE_SHARED() NO_THREAD_SAFETY_ANALYSIS { raw_.lock_shared(); }
    void unlock_shared() RELEASE_SHARED() NO_THREAD_SAFETY_ANALYSIS { raw_.unlock_shared(); }
    void lock(NoPreempt const&) ACQUIRE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_lock(this);
        raw_.lock();
        debug_.after_lock();
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        raw_.unlock();
    }

  private:
    RawPhaseFairLock raw_;
    [[no_unique_address]] LockDebug debug_;
};

// Preemption off.
template <class Lock>
class SCOPED_CAPABILITY SpinReadGuard : public NoPreempt {
  public:
    explicit SpinReadGuard(Lock& lock) ACQUIRE_SHARED(lock) : lock_{lock} {
        preempt_disable();
        lock_.lock_shared(*this);
    }
    ~SpinReadGuard() RELEASE() {
        lock_.unlock_shared();
        preempt_enable();
    }

  private:
    Lock& lock_;
};
template <class Lock>
class SCOPED_CAPABILITY SpinWriteGuard : public NoPreempt {
  public:
    explicit SpinWriteGuard(Lock& lock) ACQUIRE(lock) : lock_{lock} {
        preempt_disable();
        lock_.lock(*this);
    }
    ~SpinWriteGuard() RELEASE() {
        lock_.unlock();
        preempt_enable();
    }

  private:
    Lock& lock_;
};

}  // namespace tutti::smp
