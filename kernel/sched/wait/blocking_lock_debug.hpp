// SPDX-License-Identifier: BSD-3-Clause
// What debug builds check of the locks that block; empty in release builds. As for spin locks (smp/spin/lock_order.hpp) the
// order is learnt: whoever takes B while it holds A, where A was once taken inside B, is told so with the stack of that time,
// whether or not anybody waits. A lock of this kind is held neither at a thread's end nor on return to user mode.
//
// A class of locks has a name, or is all locks that one line of source makes. Locks of one class may nest: their callers
// order them by something that we do not see, such as an address.
//
//   lock, lock_until    debug_.before_lock()       always, not only when somebody else holds it
//   when it is taken    debug_.after_lock()        try_lock as well; it cannot wait, so it has no before_lock()
//   before it is free   debug_.before_unlock()     nothing happens when this thread does not hold it: the lock says that
//
// Thread context, for the current thread.
#pragma once

#include <atomic>
#include <type_traits>

#include "base/compiler.hpp"
#include "base/types.hpp"

namespace tutti::smp {
class LockClass;
}

namespace tutti::sched {

struct LockName {
    char const* text;
    u32 line;  // 0: text is a name; else a source file

    // NOLINTNEXTLINE(google-explicit-constructor): Mutex names{"socket names"}
    constexpr LockName(char const* name) : text{name}, line{0} {}
    [[nodiscard]] static constexpr LockName of_place(char const* file = __builtin_FILE(), u32 line = __builtin_LINE()) {
        return {file, line};
    }

  private:
    constexpr LockName(char const* file, u32 at) : text{file}, line{at} {}
};

class BlockingLockDebugOn {
  public:
    constexpr explicit BlockingLockDebugOn(LockName name) : name_{name} {}

    void before_lock();
    NOINLINE void after_lock();
    void before_unlock();

  private:
    smp::LockClass* lock_class();

    LockName name_;
    std::atomic<smp::LockClass*> class_{nullptr};  // found at the first acquisition
};

class BlockingLockDebugOff {
  public:
    constexpr explicit BlockingLockDebugOff(LockName) {}
    void before_lock() {}
    void after_lock() {}
    void before_unlock() {}
};

// The locks that a thread holds, in its Thread.
class HeldLocksOn {
  public:
    [[nodiscard]] ISR_SAFE bool empty() const { return count_ == 0; }

  private:
    friend class BlockingLockDebugOn;
    friend void check_no_locks_held(char const* when);
    friend void print_held_locks();
    friend void forget_held_locks();
    struct Entry {
        BlockingLockDebugOn const* lock;
        smp::LockClass* lock_class;  // null: too many classes
        uptr where;
    };
    static constexpr u32 kMaxHeld = 16;
    Entry entries_[kMaxHeld];
    u32 count_ = 0;
};
class HeldLocksOff {};

#if defined(TUTTI_HOST)
using BlockingLockDebug = BlockingLockDebugOff;  // host tests run the algorithms
using HeldLocks = HeldLocksOff;
#else
using BlockingLockDebug = std::conditional_t<kDebugBuild, BlockingLockDebugOn, BlockingLockDebugOff>;
using HeldLocks = std::conditional_t<kDebugBuild, HeldLocksOn, HeldLocksOff>;
#endif

// Panics, in debug builds, when the current thread holds a lock, with where it was taken. `when`: "at its end".
void check_no_locks_held(char const* when);
// On the early console: the locks that the current thread holds and where they were taken. Any context.
void print_held_locks();
// Forgets what the current thread holds; the locks stay locked. For tests that have seen a panic on purpose.
void forget_held_locks();

}  // namespace tutti::sched
