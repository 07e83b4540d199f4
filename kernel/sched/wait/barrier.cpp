// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/barrier.hpp"

namespace tutti::sched {

Result<bool> Barrier::arrive_and_wait_until(Deadline deadline, WaitMode mode) {
    smp::might_sleep();
    Waiter waiter;
    WakeList list;
    bool last = false;
    {
        smp::SpinIrqGuard guard{lock_};
        last = ++arrived_ == parties_;
        if (last) {
            arrived_ = 0;
            list.choose_all(waiters_);
        } else {
            waiters_.push_back(waiter);
        }
    }
    if (last) {
        smp::WakePath const path;
        list.wake_all();
        return true;
    }
    TRY(waiter.wait(lock_, deadline, mode, [&]() NO_THREAD_SAFETY_ANALYSIS {
        waiters_.remove(waiter);
        --arrived_;
    }));
    return false;
}

}  // namespace tutti::sched
