// SPDX-License-Identifier: BSD-3-Clause
// The pending timers of one CPU and its timer hardware.
//
// The hardware is armed lazily: only when an earlier deadline comes up than the one it is set to. Cancelling leaves it
// alone; an interrupt that finds nothing to do sets it to what is next.
#pragma once

#include "sched/timers/timer.hpp"
#include "smp/percpu/percpu.hpp"
#include "smp/spin/spin.hpp"

namespace tutti::sched {

class TimerQueue {
  public:
    constexpr TimerQueue() = default;

    void start(Timer& timer, Deadline deadline, smp::IrqOff const&);
    // Whether the function of `timer` is running on this queue's CPU.
    [[nodiscard]] bool is_running(Timer const& timer) const {
        // acquire: pairs with the release after the function has returned.
        return running_.load(std::memory_order_acquire) == &timer;
    }
    static bool cancel(Timer& timer);

    // Runs what is due. Timer interrupt, on this queue's CPU.
    void run_expired(Nanoseconds now, smp::IrqOff const&);
    // Timer interrupt: the hardware has fired and is not armed.
    void disarmed(smp::IrqOff const&) { armed_ = kNever; }
    // Makes sure that the hardware interrupts at `deadline` or earlier; this queue's CPU.
    ISR_SAFE void arm(Deadline deadline, smp::IrqOff const&) {
        if (deadline < armed_) arm_hardware(deadline);
    }
    // Arms the hardware for the first timer or `other`, whichever is earlier.
    void rearm(Deadline other, smp::IrqOff const&);

  private:
    using Tree = RbTree<Timer, &Timer::node_, Timer::Earlier>;
    void arm_hardware(Deadline deadline);

    smp::SpinLock lock_{smp::LockRank::TimerQueue, "timer queue"};
    Tree timers_ GUARDED_BY(lock_);
    Deadline armed_ = kNever;  // this CPU's, interrupts off
    std::atomic<Timer const*> running_{nullptr};
};

namespace detail {
extern smp::PerCpu<TimerQueue> timer_queues;
}
[[nodiscard]] ISR_SAFE inline TimerQueue& timer_queue(CpuId cpu) { return detail::timer_queues.on(cpu); }
[[nodiscard]] ALWAYS_INLINE TimerQueue& local_timer_queue(smp::Pinned const& here) { return detail::timer_queues.local(here); }

}  // namespace tutti::sched
