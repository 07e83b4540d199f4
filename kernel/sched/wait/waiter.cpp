// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/waiter.hpp"

#include "sched/thread.hpp"

namespace tutti::sched {

ISR_SAFE void WakeList::wake_all() {
    while (Waiter* const waiter = chosen_.pop_front()) {
        // The reference keeps the thread when it runs, and ends, before we have unparked it.
        Ref<Thread> const thread{waiter->thread_};
        waiter->granted_.store(true, std::memory_order_release);  // pairs with is_granted(); the waiter is gone now
        thread->unpark();
    }
}

}  // namespace tutti::sched
