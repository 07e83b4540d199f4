// SPDX-License-Identifier: BSD-3-Clause
// A thread in the queue of a primitive that hands over directly (Semaphore, RwLock, Event, Barrier, Once): whoever
// changes the state chooses, under the primitive's spin lock, whom the change is for. Nobody takes it in between, so a
// woken thread has nothing to test again and nobody is passed over.
//
//   waiter, on its own stack                        waker
//     under the lock: into the queue                  under the lock: list.choose(waiter), the state changed for it
//     wait(): parks until granted                     after the lock: list.wake_all(): granted = true, unpark
//     gives up: under the lock, not chosen: leaves
//               chosen: the grant is on its way and counts
//
// The grant is the waker's last access to the waiter, and a waiter that was granted looks at the primitive no more. So
// whoever a grant allows to destroy the primitive may do so at once.
#pragma once

#include <atomic>

#include "base/intrusive_list.hpp"
#include "sched/park.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::sched {

class Waiter {
  public:
    Waiter() : thread_{current()} {
        // A store: an earlier waiter may have been granted at this place on the stack.
        granted_.store(false, std::memory_order_relaxed);
    }
    Waiter(Waiter const&) = delete;
    Waiter& operator=(Waiter const&) = delete;

    [[nodiscard]] Thread& thread() const { return thread_; }

    // Until granted. When that does not come in time, withdraw() is called under `lock` and must take the waiter out of
    // its queue; the error (TimedOut, Interrupted) is returned. Thread context, without the lock.
    template <class Withdraw>
    [[nodiscard]] Result<> wait(smp::SpinLock& lock, Deadline deadline, WaitMode mode, Withdraw&& withdraw)
        EXCLUDES(smp::wake_path) {
        Result<> const parked = park_until([&] { return is_granted(); }, deadline, mode);
        if (parked) return {};
        {
            smp::SpinIrqGuard guard{lock};
            if (!chosen_) {
                withdraw();
                return parked;
            }
        }
        return park_until([&] { return is_granted(); });  // a few instructions of the waker
    }

  private:
    friend class WakeList;
    // acquire: pairs with the release in wake_all().
    [[nodiscard]] bool is_granted() const { return granted_.load(std::memory_order_acquire); }

    Thread& thread_;
    std::atomic<bool> granted_;
    bool chosen_ = false;  // under the primitive's lock

  public:
    ListNode node;
};

using WaiterQueue = IntrusiveList<Waiter, &Waiter::node>;

// Those whom a waker has chosen, to be woken when it has released the lock.
class WakeList {
  public:
    // Under the primitive's lock.
    ISR_SAFE void choose(WaiterQueue& from, Waiter& waiter) {
        from.remove(waiter);
        waiter.chosen_ = true;
        chosen_.push_back(waiter);
    }
    u32 choose_all(WaiterQueue& from) {
        u32 count = 0;
        while (!from.empty()) {
            choose(from, from.front());
            ++count;
        }
        return count;
    }
    // Everything before it is visible to those who are woken.
    void wake_all() REQUIRES(smp::wake_path);

  private:
    WaiterQueue chosen_;
};

}  // namespace tutti::sched
