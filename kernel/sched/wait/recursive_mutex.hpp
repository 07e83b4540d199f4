// SPDX-License-Identifier: BSD-3-Clause
// A mutex that its owner may lock again: a Mutex and a depth. Prefer Mutex; a second lock by its owner is mostly a fault.
#pragma once

#include "sched/wait/mutex.hpp"

namespace tutti::sched {

class CAPABILITY("mutex") RecursiveMutex {
  public:
    constexpr RecursiveMutex(LockName name = LockName::of_place()) : mutex_{name} {}

    void lock() ACQUIRE() EXCLUDES(smp::wake_path) NO_THREAD_SAFETY_ANALYSIS {
        smp::might_sleep();
        if (!lock_again()) mutex_.lock();
    }
    [[nodiscard]] bool try_lock() TRY_ACQUIRE(true) NO_THREAD_SAFETY_ANALYSIS { return lock_again() || mutex_.try_lock(); }
    // Errors: TimedOut, Interrupted; then it is not held. The owner's further locks do not fail.
    [[nodiscard]] Result<> lock_until(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path) {
        smp::might_sleep();
        if (lock_again()) return {};
        return mutex_.lock_until(deadline, mode);
    }
    // Once for each lock.
    void unlock() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
        CHECK(mutex_.is_held_by_current(), "recursive mutex unlocked by a thread that does not hold it");
        if (again_ == 0)
            mutex_.unlock();
        else
            --again_;
    }
    [[nodiscard]] bool is_held_by_current() const { return mutex_.is_held_by_current(); }

  private:
    [[nodiscard]] bool lock_again() {
        if (!mutex_.is_held_by_current()) return false;
        CHECK(++again_ != 0, "recursive mutex locked too often");
        return true;
    }

    Mutex mutex_;
    u32 again_ = 0;  // the owner's: locks beyond the first
};

class SCOPED_CAPABILITY RecursiveMutexGuard {
  public:
    explicit RecursiveMutexGuard(RecursiveMutex& mutex) ACQUIRE(mutex) EXCLUDES(smp::wake_path) : mutex_{mutex} {
        mutex_.lock();
    }
    RecursiveMutexGuard(RecursiveMutexGuard const&) = delete;
    RecursiveMutexGuard& operator=(RecursiveMutexGuard const&) = delete;
    ~RecursiveMutexGuard() RELEASE() { mutex_.unlock(); }

  private:
    RecursiveMutex& mutex_;
};

}  // namespace tutti::sched
