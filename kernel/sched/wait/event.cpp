// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/event.hpp"

namespace tutti::sched {

void Event::set() {
    smp::WakePath const path;
    WakeList list;
    {
        smp::SpinIrqGuard guard{lock_};
        set_.store(true, std::memory_order_release);  // pairs with the acquire in is_set()
        list.choose_all(waiters_);
    }
    list.wake_all();
}

Result<> Event::wait(Deadline deadline, WaitMode mode) {
    smp::might_sleep();
    Waiter waiter;
    {
        smp::SpinIrqGuard guard{lock_};
        if (set_.load(std::memory_order_relaxed)) return {};  // relaxed: the lock synchronises
        waiters_.push_back(waiter);
    }
    return waiter.wait(lock_, deadline, mode, [&]() NO_THREAD_SAFETY_ANALYSIS { waiters_.remove(waiter); });
}

}  // namespace tutti::sched
