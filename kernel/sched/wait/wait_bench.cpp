// SPDX-License-Identifier: BSD-3-Clause
// Nobody competes: the fast paths.
#include "harness/bench.hpp"
#include "sched/wait/event.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/semaphore.hpp"
#include "sched/wait/wait_queue.hpp"

namespace tutti::sched {
namespace {

BENCH(wait, mutex_lock_unlock) {
    static constinit Mutex mutex;
    bench.count([]() NO_THREAD_SAFETY_ANALYSIS {
        mutex.lock();
        mutex.unlock();
    });
}
BENCH(wait, semaphore_up_down) {
    static constinit Semaphore semaphore{0};
    bench.count([] {
        (void)semaphore.up();
        (void)semaphore.down();
    });
}
BENCH(wait, queue_wake_nobody) {
    static constinit WaitQueue queue;
    bench.count([] { queue.wake_all(); });
}

}  // namespace
}  // namespace tutti::sched
