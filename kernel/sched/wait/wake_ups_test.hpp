// SPDX-License-Identifier: BSD-3-Clause
// How often a wait queue was woken, for tests of what wakes it.
#pragma once

#include "sched/wait/wait_queue.hpp"

namespace tutti::sched {

// Counts while it lives. The queue outlives it.
class WakeUps final : public WaitQueue::Observer {
  public:
    explicit WakeUps(WaitQueue& queue) : Observer{&count_one}, queue_{queue} { queue_.add(*this); }
    ~WakeUps() { (void)queue_.remove(*this); }
    u32 count = 0;

  private:
    ISR_SAFE static void count_one(Observer& self, u32) { ++static_cast<WakeUps&>(self).count; }
    WaitQueue& queue_;
};

}  // namespace tutti::sched
