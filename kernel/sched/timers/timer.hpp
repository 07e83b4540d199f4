// SPDX-License-Identifier: BSD-3-Clause
// Per-CPU deadline timers: a timer runs on the CPU where it was started; no timer is global.
//
// A Timer lives in its owner's memory. start() and cancel() of one timer are serialised by the owner; both may race with
// the timer's own expiry. The function runs in Isr context: it must not block or fault; it may start the timer again.
#pragma once

#include <atomic>

#include "base/rb_tree.hpp"
#include "base/types.hpp"

namespace tutti::sched {

class TimerQueue;

class Timer {
  public:
    using Function = void (*)(void* argument);
    constexpr Timer(Function function, void* argument) : function_{function}, argument_{argument} {}
    Timer(Timer const&) = delete;
    Timer& operator=(Timer const&) = delete;
    ~Timer() { ASSERT(!is_pending(), "timer destroyed while pending"); }

    // Starts or restarts it on this CPU. A deadline that has passed fires at once; kNever only cancels. Up to Isr context.
    // The function may still be running on the CPU where it was started before, and so on two CPUs at once.
    void start(Deadline deadline);
    // True: it was pending, and will not fire. False: it has fired, may be running now, or was never started. Up to Isr.
    bool cancel();
    // As cancel(), and no function of an earlier expiry runs on any CPU any more. Not from the function itself; the caller holds no
    // lock that the function takes.
    bool cancel_and_wait();

    [[nodiscard]] bool is_pending() const { return queue_.load(std::memory_order_relaxed) != nullptr; }
    // Valid while pending.
    [[nodiscard]] Deadline deadline() const { return deadline_; }

  private:
    friend class TimerQueue;
    struct Earlier {
        bool operator()(Timer const& a, Timer const& b) const { return a.deadline_ < b.deadline_; }
    };

    RbNode node_;
    Deadline deadline_ = kNever;
    Function function_;
    void* argument_;
    std::atomic<TimerQueue*> queue_{nullptr};  // where it is pending; changes under that queue's lock
    // The owner's: where it was started last, and whether its function may be running anywhere else.
    TimerQueue* last_queue_ = nullptr;
    bool runs_elsewhere_ = false;
};

}  // namespace tutti::sched
