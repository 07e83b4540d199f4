// SPDX-License-Identifier: BSD-3-Clause
// How a CPU that goes idle and those who have work for it find each other: the real idle loop, idle and overloaded bits,
// inbox and mode. In place of the run queues there is a count of waiting threads, and the CPU's work ends when the idle
// loop has found what it should.
#include "engine/interleave.hpp"
#include "hal/interrupts.hpp"
#include "machine/threads.hpp"
#include "sched/dispatch.hpp"
#include "sched/placement.hpp"
#include "smp/rcu/rcu.hpp"

namespace tutti {

namespace {
std::atomic<u32> g_waiting{0};  // in the queue of CPU 1, for others to take
std::atomic<u32> g_found{0};
u32 g_wanted = 1;
u32 g_fields = 0;  // what a thread has written before it parked
constexpr u32 kBusyAfterwards = 99;

void found(u32 count) {
    if (g_found.fetch_add(count, std::memory_order_relaxed) + count >= g_wanted) interleave::end_cpu();
}
void reschedule_interrupt() {
    if (g_wanted == kBusyAfterwards) (void)sched::local_run_queue(smp::AssumeIrqOff{}).inbox.take_all();
    sched::Scheduler::request_reschedule();
}
}  // namespace

namespace hal {
void send_ipi(CpuId target, IpiKind) { interleave::raise_interrupt(target.value(), reschedule_interrupt); }
}  // namespace hal

namespace sched {

void Scheduler::request_reschedule() { smp::want_reschedule(); }
void Scheduler::reclaim_dead() {}
void Scheduler::switch_away(Leave, smp::IrqOff const& here) {
    smp::reschedule_done();
    u32 count = 0;
    for (Thread* thread = local_run_queue(here).inbox.take_all(); thread != nullptr; thread = RunQueue::Inbox::next(*thread)) ++count;
    if (g_wanted == kBusyAfterwards) interleave::end_cpu();  // runs a thread from here on
    if (local_run_queue(here).take_watched() != nullptr) ++count;
    if (count != 0) found(count);
}
bool Scheduler::steal(smp::IrqOff const&) {
    if (next_overloaded(1).value() != 1) return false;
    u32 waiting = g_waiting.load(std::memory_order_relaxed);
    while (waiting != 0)
        if (g_waiting.compare_exchange_weak(waiting, waiting - 1, std::memory_order_relaxed)) {
            found(1);
            return true;
        }
    return false;
}
// As in sched/dispatch.cpp.
bool Scheduler::notify(CpuId target) {
    if (run_queue(target).mode.load(std::memory_order_seq_cst) == CpuMode::Polling) return false;
    hal::send_ipi(target, hal::IpiKind::Reschedule);
    return true;
}
void Scheduler::hand_over(Thread& thread, CpuId target, RunQueue&) {
    if (run_queue(target).inbox.push(thread)) notify(target);
}
void Scheduler::place(Thread& thread) {
    smp::AssumeNoPreempt const here;
    REQUIRE(g_fields == 1);
    hand_over(thread, CpuId{0}, local_run_queue(here));
}

}  // namespace sched

namespace interleave {

namespace {
void start_machine(unsigned cpus, unsigned wanted) {
    start_threads(cpus);
    REQUIRE(sched::placement_init().has_value());
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        // Idle loops run with the scheduler's one count.
        *arch::percpu_address_in(percpu_area(cpu), smp::detail::preempt_state) = smp::detail::kNoRescheduleWanted | 1;
        sched::run_queue(CpuId{cpu}).cpu = CpuId{cpu};
        smp::rcu::detail::grace_periods.leave_extended(smp::rcu::detail::words.on(CpuId{cpu}));
    }
    set_time_step(1'000'000);  // an idle loop polls for one round
    g_wanted = wanted;
}
}  // namespace

// A thread is handed over to a CPU that goes from polling to halted.
INTERLEAVE(wake_an_idle_cpu, {.preemptions = 2, .spins_expire = true}) {
    start_machine(2, 1);
    sched::Thread& woken = machine_thread(1);
    auto const idle = [] { sched::Scheduler::idle_loop(); };
    auto const waker = [&] { sched::Scheduler::hand_over(woken, CpuId{0}, sched::run_queue(CpuId{1})); };
    run_on_cpus(idle, waker);
}
// A thread is woken whose parking made its CPU idle, while the CPU stops watching it and halts.
INTERLEAVE(wake_a_watched_thread, {.preemptions = 3, .spins_expire = true}) {
    start_machine(2, 1);
    sched::Thread& woken = machine_thread(0);
    auto const idle = [&] {
        g_fields = 1;
        if (sched::local_run_queue(smp::AssumeNoPreempt{}).watch(woken)) sched::Scheduler::idle_loop();
    };
    auto const waker = [&] {
        smp::WakePath const path;
        woken.unpark();
    };
    run_on_cpus(idle, waker);
    REQUIRE(sched::run_queue(CpuId{0}).inbox.empty());  // queued once
}
// And another one comes.
INTERLEAVE(wake_a_watched_thread_and_another, {.preemptions = 1, .spins_expire = true, .cpus = 3}) {
    start_machine(3, 2);
    sched::Thread& woken = machine_thread(0);
    g_fields = 1;
    if (!sched::run_queue(CpuId{0}).watch(woken)) fail("wakeup", "notified already");
    auto const idle = [] { sched::Scheduler::idle_loop(); };
    auto const waker = [&] {
        smp::WakePath const path;
        woken.unpark();
    };
    auto const other = [&] { sched::Scheduler::hand_over(machine_thread(2), CpuId{0}, sched::run_queue(CpuId{2})); };
    run_on_cpus(idle, waker, other);
}
INTERLEAVE(two_wake_an_idle_cpu, {.preemptions = 1, .spins_expire = true, .cpus = 3}) {
    start_machine(3, 2);
    auto const idle = [] { sched::Scheduler::idle_loop(); };
    auto const one = [&] { sched::Scheduler::hand_over(machine_thread(1), CpuId{0}, sched::run_queue(CpuId{1})); };
    auto const two = [&] { sched::Scheduler::hand_over(machine_thread(2), CpuId{0}, sched::run_queue(CpuId{2})); };
    run_on_cpus(idle, one, two);
}
// The CPU becomes busy for another reason just when a thread is handed over: it drains its inbox after it has said so.
INTERLEAVE(wake_a_cpu_that_becomes_busy, {.preemptions = 3, .spins_expire = true}) {
    start_machine(2, kBusyAfterwards);
    sched::Thread& woken = machine_thread(1);
    raise_interrupt(0, reschedule_interrupt);
    auto const idle = [] { sched::Scheduler::idle_loop(); };
    auto const waker = [&] {
        sched::Scheduler::hand_over(woken, CpuId{0}, sched::run_queue(CpuId{1}));
    };
    run_on_cpus(idle, waker);
    REQUIRE(sched::run_queue(CpuId{0}).inbox.empty());
}
// Two wakers claim the same idle CPU: one gets it.
INTERLEAVE(claim_of_an_idle_cpu, {.preemptions = 4, .cpus = 3}) {
    start_machine(3, 1);
    sched::mark_idle(CpuId{0});
    unsigned got = 0;
    unsigned got_too = 0;
    auto const nobody = [] {};
    auto const one = [&] { got = sched::claim_idle_for(machine_thread(1), CpuId{1}).value() == 0; };
    auto const two = [&] { got_too = sched::claim_idle_for(machine_thread(2), CpuId{2}).value() == 0; };
    run_on_cpus(nobody, one, two);
    REQUIRE(got + got_too == 1);
}
// A thread waits behind a running one; the CPU that goes idle takes it, or is told.
INTERLEAVE(overloaded_and_idle, {.preemptions = 2, .spins_expire = true}) {
    start_machine(2, 1);
    auto const idle = [] { sched::Scheduler::idle_loop(); };
    auto const busy = [&] {
        g_waiting.fetch_add(1, std::memory_order_relaxed);
        sched::mark_overloaded(CpuId{1});
        CpuId const target = sched::claim_idle_for(machine_thread(1), CpuId{1});
        if (target.value() == 0) sched::Scheduler::notify(target);
    };
    run_on_cpus(idle, busy);
}

}  // namespace interleave
}  // namespace tutti
