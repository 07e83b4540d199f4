// SPDX-License-Identifier: BSD-3-Clause
// What a CPU does when no thread wants it: look for threads elsewhere, poll for a little while, halt.
//
// Polling saves the waker an interrupt and us the way out of the halt; it costs a processor that a hypervisor could give
// to another CPU. So its length follows what it brings: it doubles when a wake-up came soon after a halt, and halves when
// none did. A CPU without others has nobody to poll for.
#include "arch/cpu.hpp"
#include "hal/clock.hpp"
#include "sched/dispatch.hpp"
#include "sched/placement.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti::sched {

namespace {

constexpr Nanoseconds kShortestPoll = Nanoseconds::from_us(4);
constexpr Nanoseconds kLongestPoll = Nanoseconds::from_us(64);
constexpr u32 kPausesPerLook = 8;

bool has_work(RunQueue const& queue) {
    // seq_cst inside empty(): after mode was written (run_queue.hpp).
    return smp::reschedule_wanted() || !queue.inbox.empty() || queue.watched_is_notified();
}

bool try_steal() {
    if (!any_overloaded()) return false;
    smp::IrqOffGuard const here;
    return Scheduler::steal(here);
}

bool look_for_a_moment(RunQueue const& queue) {
    for (u32 i = 0; i < kPausesPerLook; ++i) {
        if (has_work(queue)) return true;
        // Cheaper here than a place among the CPUs that grace periods do not wait for, which costs a fence to leave.
        smp::rcu::note_quiescent(smp::AssumeNoPreempt{});
        arch::pause();
    }
    return false;
}

// True when there is something to do. Interrupts on.
bool poll(RunQueue& queue) {
    bool const polls = queue.poll_time != Nanoseconds{};
    // Before the bit in the bitmap, which all CPUs share: work often comes at once.
    if (polls && look_for_a_moment(queue)) return true;
    mark_idle(queue.cpu);
    if (try_steal()) return true;
    if (!polls) return false;
    Nanoseconds const until = hal::sched_clock() + queue.poll_time;
    do {
        if (look_for_a_moment(queue) || try_steal()) return true;
    } while (hal::sched_clock() < until);
    return false;
}

// True when there is something to do. Interrupts on at both ends.
bool halt(RunQueue& queue) {
    arch::disable_interrupts();
    smp::AssumeIrqOff const here;
    if (!queue.stop_watching()) {
        arch::enable_interrupts();
        return true;
    }
    queue.mode.exchange(CpuMode::Halted, std::memory_order_seq_cst);
    Nanoseconds const start = hal::sched_clock();
    // Who claimed this CPU for a thread in another queue, and still saw it polling, sent no interrupt: the idle bit is clear
    // then, and we look again.
    if (!has_work(queue) && is_marked_idle(queue.cpu)) {
        smp::rcu::enter_idle(here);
        arch::halt_until_interrupt();
        smp::rcu::leave_idle(here);
    }
    arch::enable_interrupts();
    bool const work = has_work(queue);
    if (smp::cpu_count() > 1) {
        Nanoseconds const halted = hal::sched_clock() - start;
        if (work && halted < kLongestPoll + kLongestPoll)
            queue.poll_time = queue.poll_time + queue.poll_time;
        else
            queue.poll_time = Nanoseconds{queue.poll_time.count() / 2};
        if (queue.poll_time < kShortestPoll) queue.poll_time = kShortestPoll;
        if (queue.poll_time > kLongestPoll) queue.poll_time = kLongestPoll;
    }
    return work;
}

}  // namespace

void Scheduler::idle_loop() {
    RunQueue& queue = local_run_queue(smp::AssumeNoPreempt{});
    if (smp::cpu_count() > 1) queue.poll_time = kShortestPoll;
    while (true) {
        reclaim_dead();
        queue.mode.exchange(CpuMode::Polling, std::memory_order_seq_cst);
        if (!poll(queue) && !halt(queue)) continue;
        mark_busy(queue.cpu);
        queue.mode.exchange(CpuMode::Busy, std::memory_order_seq_cst);
        arch::disable_interrupts();
        switch_away(Leave::Preempted, smp::AssumeIrqOff{});
        arch::enable_interrupts();
    }
}

}  // namespace tutti::sched
