// SPDX-License-Identifier: BSD-3-Clause
// Remembers that one of several things became ready, for the thread that looks at them all and then parks.
//
//   poller                                     source
//     reset()                                    make it ready
//     look at everything: ready? done            ring()
//     park until rung(); again
//
// reset() overwrites rings. All are exchanges, so the one that it reads goes on with the release sequence of those before:
// what made each of them ring is seen by the look that follows, and what rings later stays.
#pragma once

#include <atomic>

#include "sched/thread.hpp"

namespace tutti::vfs {

class Bell {
  public:
    // Of the current thread.
    Bell() : thread_{sched::current()} {}
    // Up to Isr context; does not block.
    ISR_SAFE void ring() REQUIRES(smp::wake_path) {
        rung_.exchange(true, std::memory_order_release);
        thread_.unpark();
    }
    [[nodiscard]] bool rung() const { return rung_.load(std::memory_order_relaxed); }
    void reset() { rung_.exchange(false, std::memory_order_acquire); }

  private:
    sched::Thread& thread_;
    std::atomic<bool> rung_{false};
};

}  // namespace tutti::vfs
