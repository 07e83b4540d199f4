// SPDX-License-Identifier: BSD-3-Clause
#include "sched/timers/timer_queue.hpp"

#include "hal/clock.hpp"

namespace tutti::sched {

namespace detail {
PERCPU_SECTION constinit smp::PerCpu<TimerQueue> timer_queues;
}

ISR_SAFE void TimerQueue::start(Timer& timer, Deadline deadline, smp::IrqOff const& here) {
    {
        smp::SpinIrqGuard guard{lock_};
        timer.deadline_ = deadline;
        timer.last_queue_ = this;
        timers_.insert(timer);
        // release: pairs with the acquire in cancel(), which then takes our lock.
        timer.queue_.store(this, std::memory_order_release);
    }
    arm(deadline, here);
}

ISR_SAFE bool TimerQueue::cancel(Timer& timer) {
    // acquire: pairs with the release in start(). Only expiry can change it under us, and that only to null.
    TimerQueue* const queue = timer.queue_.load(std::memory_order_acquire);
    if (queue == nullptr) return false;
    smp::SpinIrqGuard guard{queue->lock_};
    if (timer.queue_.load(std::memory_order_relaxed) != queue) return false;
    queue->timers_.remove(timer);
    timer.queue_.store(nullptr, std::memory_order_relaxed);
    return true;
}

ISR_SAFE void TimerQueue::run_expired(Nanoseconds now, smp::IrqOff const& here) {
    lock_.lock(here);
    while (Timer* const timer = timers_.first()) {
        if (timer->deadline_ > now) break;
        timers_.remove(*timer);
        Timer::Function const function = timer->function_;
        void* const argument = timer->argument_;
        // Before queue_ becomes null: who then finds it null and asks is_running() gets the right answer.
        running_.store(timer, std::memory_order_relaxed);
        // release: pairs with the acquire in cancel_and_wait()'s look at queue_.
        timer->queue_.store(nullptr, std::memory_order_release);
        lock_.unlock();
        function(argument);
        // release: what the function did comes before the owner's next step.
        running_.store(nullptr, std::memory_order_release);
        lock_.lock(here);
    }
    lock_.unlock();
}

ISR_SAFE void TimerQueue::arm_hardware(Deadline deadline) {
    armed_ = deadline;
    hal::arm_timer(deadline);
}

ISR_SAFE void TimerQueue::rearm(Deadline other, smp::IrqOff const& here) {
    Deadline next = other;
    {
        lock_.lock(here);
        if (Timer const* const first = timers_.first(); first != nullptr && first->deadline_ < next)
            next = first->deadline_;
        lock_.unlock();
    }
    arm(next, here);
}

ISR_SAFE void Timer::start(Deadline deadline) {
    smp::IrqOffGuard const off;
    TimerQueue& here = local_timer_queue(off);
    TimerQueue::cancel(*this);
    // After the cancellation: what has expired by then is marked as running (run_expired()).
    if (last_queue_ != nullptr && last_queue_ != &here && last_queue_->is_running(*this)) runs_elsewhere_ = true;
    if (deadline != kNever) here.start(*this, deadline, off);
}

ISR_SAFE bool Timer::cancel() { return TimerQueue::cancel(*this); }

bool Timer::cancel_and_wait() {
    if (last_queue_ == nullptr) return false;
    bool const cancelled = TimerQueue::cancel(*this);
    while (last_queue_->is_running(*this)) arch::pause();
    if (runs_elsewhere_) {
        smp::for_each_cpu([this](CpuId cpu) {
            while (timer_queue(cpu).is_running(*this)) arch::pause();
        });
        runs_elsewhere_ = false;
    }
    return TimerQueue::cancel(*this) || cancelled;  // the function may have started it again
}

}  // namespace tutti::sched
