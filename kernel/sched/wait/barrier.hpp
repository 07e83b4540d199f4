// SPDX-License-Identifier: BSD-3-Clause
// A meeting of a fixed number of threads, round after round: each waits until all have arrived.
//
// A thread that gives up takes its arrival back: the round then needs another. The next round may begin while threads of
// the last one are still waking: they are in no queue any more.
#pragma once

#include "sched/wait/waiter.hpp"

namespace tutti::sched {

class Barrier {
  public:
    constexpr explicit Barrier(u32 parties) : parties_{parties} { CHECK(parties != 0, "barrier for nobody"); }
    Barrier(Barrier const&) = delete;
    Barrier& operator=(Barrier const&) = delete;
    ~Barrier() { CHECK(waiters_.empty(), "barrier destroyed with waiters"); }

    // True for one thread of each round, the last to arrive. What each did before is visible to all afterwards. The
    // barrier may be destroyed as soon as all calls of a last round have returned. Thread context.
    bool arrive_and_wait() EXCLUDES(smp::wake_path) {
        return *arrive_and_wait_until(kNever, WaitMode::Uninterruptible);  // cannot fail
    }
    // Errors: TimedOut, Interrupted; then this thread has not arrived.
    [[nodiscard]] Result<bool> arrive_and_wait_until(Deadline deadline, WaitMode mode) EXCLUDES(smp::wake_path);

  private:
    u32 const parties_;
    smp::SpinLock lock_{smp::LockRank::WaitQueue, "barrier"};
    u32 arrived_ GUARDED_BY(lock_) = 0;
    WaiterQueue waiters_ GUARDED_BY(lock_);
};

}  // namespace tutti::sched
