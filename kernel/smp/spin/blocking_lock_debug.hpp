// SPDX-License-Identifier: BSD-3-Clause
// The order of locks that block (sched/wait), learnt in debug builds as that of spin locks (lock_order.hpp); empty in release
// builds. A class is a construction site: all mutexes that one line of source makes. Two of one class may nest.
//
// For the author of such a lock:
//
//   [[no_unique_address]] BlockingLockDebug debug_;          in the lock, made from its constructor's last parameter
//   constexpr explicit Mutex(smp::LockSite site = smp::LockSite::here()) : debug_{site} {}
//   [[no_unique_address]] HeldBlockingLocks held_;           in the thread
//
//   lock, lock_until    debug_.before_lock(self.held_)       always, not only when somebody else holds it
//   when it is taken    debug_.after_lock(self.held_)        try_lock as well
//   unlock              debug_.before_unlock(self.held_)
//
// Thread context; the list belongs to the thread that calls. Spin locks need not be told: they may not be held by who blocks.
#pragma once

#include <type_traits>

#include "base/compiler.hpp"
#include "smp/spin/lock_order.hpp"

namespace tutti::smp {

struct LockSite {
    char const* file;
    u32 line;
    [[nodiscard]] static consteval LockSite here(char const* file = __builtin_FILE(), u32 line = __builtin_LINE()) {
        return {file, line};
    }
};

class BlockingLockDebugOn;
struct HeldBlockingLocksOn {
    BlockingLockDebugOn* newest = nullptr;
};
struct HeldBlockingLocksOff {};

class BlockingLockDebugOn {
  public:
    constexpr explicit BlockingLockDebugOn(LockSite site) : site_{site} {}

    // Panics when the lock was taken the other way round before.
    void before_lock(HeldBlockingLocksOn const& held) {
        LockClass const* const own = lock_class();
        if (own == nullptr) return;
        for (BlockingLockDebugOn* at = held.newest; at != nullptr; at = at->below_)
            if (LockClass const* const other = at->lock_class()) LockOrder::check(*other, *own);
    }
    void after_lock(HeldBlockingLocksOn& held) {
        below_ = held.newest;
        held.newest = this;
    }
    void before_unlock(HeldBlockingLocksOn& held) {
        for (BlockingLockDebugOn** at = &held.newest; *at != nullptr; at = &(*at)->below_) {
            if (*at != this) continue;
            *at = below_;
            return;
        }
    }

  private:
    LockClass* lock_class() {
        // acquire: pairs with the release of whoever made the class.
        LockClass* found = class_.load(std::memory_order_acquire);
        if (found == nullptr) [[unlikely]] {
            found = LockOrder::find_or_add(site_.file, site_.line);
            class_.store(found, std::memory_order_release);
        }
        return found;
    }

    LockSite site_;
    std::atomic<LockClass*> class_{nullptr};
    BlockingLockDebugOn* below_ = nullptr;  // the holder's
};

class BlockingLockDebugOff {
  public:
    constexpr explicit BlockingLockDebugOff(LockSite) {}
    void before_lock(HeldBlockingLocksOff const&) {}
    void after_lock(HeldBlockingLocksOff&) {}
    void before_unlock(HeldBlockingLocksOff&) {}
};

using BlockingLockDebug = std::conditional_t<kDebugBuild, BlockingLockDebugOn, BlockingLockDebugOff>;
using HeldBlockingLocks = std::conditional_t<kDebugBuild, HeldBlockingLocksOn, HeldBlockingLocksOff>;

}  // namespace tutti::smp
