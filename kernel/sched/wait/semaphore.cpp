// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/semaphore.hpp"

namespace tutti::sched {

Result<> Semaphore::down_slow(Deadline deadline, WaitMode mode) {
    Waiter waiter;
    {
        smp::SpinIrqGuard guard{lock_};
        u32 word = word_.load(std::memory_order_relaxed);
        while (true) {
            u32 const wanted = word >= kUnit ? word - kUnit : kHasWaiters;
            // acquire: pairs with the release in up().
            if (word_.compare_exchange_weak(word, wanted, std::memory_order_acquire, std::memory_order_relaxed)) break;
        }
        if (word >= kUnit) return {};
        waiters_.push_back(waiter);
    }
    return waiter.wait(lock_, deadline, mode, [&]() NO_THREAD_SAFETY_ANALYSIS {
        waiters_.remove(waiter);
        // relaxed: no unit comes or goes.
        if (waiters_.empty()) word_.store(0, std::memory_order_relaxed);
    });
}

ISR_SAFE bool Semaphore::hand_over() {
    smp::WakePath const path;
    WakeList list;
    {
        smp::SpinIrqGuard guard{lock_};
        if (waiters_.empty()) return false;
        list.choose(waiters_, waiters_.front());
        if (waiters_.empty()) word_.store(0, std::memory_order_relaxed);  // relaxed: the unit goes by the grant
    }
    list.wake_all();
    return true;
}

}  // namespace tutti::sched
