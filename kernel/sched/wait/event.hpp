// SPDX-License-Identifier: BSD-3-Clause
// A flag to wait for. set() releases all waiters, and those to come, until reset().
#pragma once

#include "sched/wait/wait_queue.hpp"

namespace tutti::sched {

class Event {
  public:
    constexpr Event() = default;

    // Everything before it is visible to the waiters. Up to Isr context.
    void set() {
        set_.store(true, std::memory_order_release);  // pairs with the acquire in is_set()
        queue_.wake_all();
    }
    void reset() { set_.store(false, std::memory_order_relaxed); }
    [[nodiscard]] bool is_set() const { return set_.load(std::memory_order_acquire); }
    // Errors: TimedOut, Interrupted. Thread context.
    Result<> wait(Deadline deadline = kNever, WaitMode mode = WaitMode::Uninterruptible) {
        return queue_.wait_until([&] { return is_set(); }, deadline, mode);
    }

  private:
    std::atomic<bool> set_{false};
    WaitQueue queue_;
};

}  // namespace tutti::sched
