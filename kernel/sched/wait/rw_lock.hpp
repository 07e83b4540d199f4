// SPDX-License-Identifier: BSD-3-Clause
// A sleeping reader-writer lock, phase-fair: while both wait, a phase of readers and one writer take turns. A reader
// waits for at most one writer; writers are first in, first out, and wait for at most one phase of readers each.
//
//   word_:   readers << 6 | W                   held by readers         (0: free)
//            the writer's Thread | H | W        held by a writer
//
//            W (kHasWaiters)  somebody is queued: newcomers queue too, and the release of the last holder goes under
//                             queue_lock_, where it hands over to those queued. So W never stands alone.
//            H (kWriteHeld)
//
// Fast paths are one compare-and-swap each. While W is set only readers that are not the last change the word without
// queue_lock_, and only the lock's holder clears W.
//
// Thread context for lock forms. Not recursive: a reader that acquires it again deadlocks with a writer in between. The
// thread that was given the lock releases it.
#pragma once

#include "sched/wait/blocking_lock_debug.hpp"
#include "sched/wait/waiter.hpp"

namespace tutti::sched {

class CAPABILITY("rw lock") RwLock {
  public:
    // For the order that debug builds learn: a name, or the place of construction.
    constexpr RwLock(LockName name = LockName::of_place()) : debug_{name} {}
    RwLock(RwLock const&) = delete;
    RwLock& operator=(RwLock const&) = delete;
    ~RwLock() { CHECK(word_.load(std::memory_order_relaxed) == 0, "rw lock destroyed while held"); }

    void lock_shared() ACQUIRE_SHARED() EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        smp::might_sleep();
        debug_.before_lock();
        if (!try_lock_shared_word()) [[unlikely]]
            (void)lock_shared_slow(kNever, WaitMode::Uninterruptible);  // cannot fail
        debug_.after_lock();
    }
    [[nodiscard]] bool try_lock_shared() TRY_ACQUIRE_SHARED(true) NO_THREAD_SAFETY_ANALYSIS {
        if (!try_lock_shared_word()) return false;
        debug_.after_lock();
        return true;
    }
    // Errors: TimedOut, Interrupted; then it is not held. The analysis takes it as held: test the result.
    [[nodiscard]] Result<> lock_shared_until(Deadline deadline, WaitMode mode)
        ACQUIRE_SHARED() EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        smp::might_sleep();
        debug_.before_lock();
        if (!try_lock_shared_word()) [[unlikely]] TRY(lock_shared_slow(deadline, mode));
        debug_.after_lock();
        return {};
    }
    void unlock_shared() RELEASE_SHARED() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        uptr word = word_.load(std::memory_order_relaxed);
        do {
            if ((word & (kHasWaiters | kWriteHeld)) != 0 || word < kReader) [[unlikely]] {
                unlock_shared_slow();
                return;
            }
            // release: our reads come before the next writer's changes.
        } while (!word_.compare_exchange_weak(word, word - kReader, std::memory_order_release, std::memory_order_relaxed));
    }

    void lock() ACQUIRE() EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        smp::might_sleep();
        debug_.before_lock();
        if (!try_lock_word()) [[unlikely]] (void)lock_slow(kNever, WaitMode::Uninterruptible);  // cannot fail
        debug_.after_lock();
    }
    [[nodiscard]] bool try_lock() TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS {
        if (!try_lock_word()) return false;
        debug_.after_lock();
        return true;
    }
    // As lock_shared_until().
    [[nodiscard]] Result<> lock_until(Deadline deadline, WaitMode mode)
        ACQUIRE() EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        smp::might_sleep();
        debug_.before_lock();
        if (!try_lock_word()) [[unlikely]] TRY(lock_slow(deadline, mode));
        debug_.after_lock();
        return {};
    }
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        debug_.before_unlock();
        uptr expected = writer_word();
        // release: our changes come before whatever the next holder does.
        if (!word_.compare_exchange_strong(expected, 0, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
            unlock_slow(0);
    }
    // The writer becomes a reader, without a moment in between; the readers that wait come in too. To the analysis it
    // stays held exclusively, so use WriteGuard::downgrade().
    void downgrade() REQUIRES(this) NO_THREAD_SAFETY_ANALYSIS {
        uptr expected = writer_word();
        // release: our changes come before whatever the readers do.
        if (!word_.compare_exchange_strong(expected, kReader, std::memory_order_release, std::memory_order_relaxed)) [[unlikely]]
            unlock_slow(1);
    }
    [[nodiscard]] bool is_write_held_by_current() const {
        return (word_.load(std::memory_order_relaxed) & ~kHasWaiters) == writer_word();
    }

  private:
    static constexpr uptr kHasWaiters = 1;
    static constexpr uptr kWriteHeld = 2;
    static constexpr uptr kReader = 64;  // threads are aligned to that

    [[nodiscard]] static uptr writer_word() { return reinterpret_cast<uptr>(&current()) | kWriteHeld; }

    [[nodiscard]] bool try_lock_shared_word() {
        uptr word = word_.load(std::memory_order_relaxed);
        while ((word & (kHasWaiters | kWriteHeld)) == 0)
            // acquire: pairs with the release of the writer before us.
            if (word_.compare_exchange_weak(word, word + kReader, std::memory_order_acquire, std::memory_order_relaxed))
                return true;
        return false;
    }
    [[nodiscard]] bool try_lock_word() {
        uptr expected = 0;
        // acquire: pairs with the releases of the readers or the writer before us.
        return word_.compare_exchange_strong(expected, writer_word(), std::memory_order_acquire, std::memory_order_relaxed);
    }

    Result<> lock_shared_slow(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);
    Result<> lock_slow(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);
    void unlock_shared_slow();
    void unlock_slow(uptr keep_readers);
    void withdraw_reader(Waiter& waiter) REQUIRES(queue_lock_);
    void withdraw_writer(Waiter& waiter, WakeList& list) REQUIRES(queue_lock_);
    [[nodiscard]] uptr waiters_bit() REQUIRES(queue_lock_) {
        return readers_.empty() && writers_.empty() ? 0 : kHasWaiters;
    }

    std::atomic<uptr> word_{0};
    smp::SpinLock queue_lock_{smp::LockRank::MutexQueue, "rw lock queue"};
    WaiterQueue readers_ GUARDED_BY(queue_lock_);
    WaiterQueue writers_ GUARDED_BY(queue_lock_);
    [[no_unique_address]] BlockingLockDebug debug_;
};

class SCOPED_CAPABILITY ReadGuard {
  public:
    explicit ReadGuard(RwLock& lock) ACQUIRE_SHARED(lock) EXCLUDES(smp::wake_path) : lock_{lock} { lock_.lock_shared(); }
    ReadGuard(ReadGuard const&) = delete;
    ReadGuard& operator=(ReadGuard const&) = delete;
    ~ReadGuard() RELEASE() { lock_.unlock_shared(); }

  private:
    RwLock& lock_;
};

class SCOPED_CAPABILITY WriteGuard {
  public:
    explicit WriteGuard(RwLock& lock) ACQUIRE(lock) EXCLUDES(smp::wake_path) : lock_{lock} { lock_.lock(); }
    WriteGuard(WriteGuard const&) = delete;
    WriteGuard& operator=(WriteGuard const&) = delete;
    ~WriteGuard() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        if (downgraded_)
            lock_.unlock_shared();
        else
            lock_.unlock();
    }
    // From here on others read too; the analysis goes on to allow writes: make none.
    void downgrade() NO_THREAD_SAFETY_ANALYSIS {
        lock_.downgrade();
        downgraded_ = true;
    }

  private:
    RwLock& lock_;
    bool downgraded_ = false;
};

}  // namespace tutti::sched
