// SPDX-License-Identifier: BSD-3-Clause
// The way of a wake-up through the whole scheduler, sampled: threads that wait for each other, sleep, compete and yield,
// while CPUs go idle, steal, hand over and preempt at any moment.
#include "arch/traps.hpp"
#include "machine/scheduler.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "sched/wait/mutex.hpp"
#include "sched/wait/semaphore.hpp"

namespace tutti::interleave {

namespace {

// One execution's, put back before each.
sched::Semaphore g_ping{0};
sched::Semaphore g_pong{0};
sched::Mutex g_mutex;
int g_counted = 0;
int g_ball = 0;
std::atomic<bool> g_noted[3] = {};
std::atomic<bool> g_sent{false};

Ref<sched::Thread> start(void (*entry)(void*), sched::ThreadOptions const& options = {}) {
    Ref<sched::Thread> const thread = *sched::Thread::create(options, entry, nullptr);
    thread->start();
    return thread;
}
void count() {
    sched::MutexGuard guard{g_mutex};
    ++g_counted;
}

void send(sched::Thread& thread) {
    smp::CpuSet only = *smp::CpuSet::create(smp::cpu_count());
    CpuId const cpu{choose(smp::cpu_count())};
    only.add(cpu);
    REQUIRE(thread.set_affinity(only).has_value() || cpu.value() != 0);  // the others may not have come up yet
}

void player(void*) {
    for (int i = 0; i < 2; ++i) {
        g_ping.down();
        ++g_ball;
        REQUIRE(g_pong.up().has_value());
        count();
    }
}
void counter(void*) {
    for (int i = 0; i < 2; ++i) {
        count();
        sched::yield();
    }
}
void sleeper(void*) {
    (void)sched::sleep_for(Nanoseconds::from_us(500));
    count();
    sched::yield();
    count();
}

void noted(void*) {
    for (auto& flag : g_noted) REQUIRE(sched::park_until([&] { return flag.load(std::memory_order_relaxed); }).has_value());
}

// Until a condition of this CPU that others bring about by an interrupt.
template <class Condition>
void spin_until(Condition&& condition) {
    while (!condition()) {
        (void)g_sent.load(std::memory_order_acquire);
        arch::pause();
    }
}
void returner(void*) {
    spin_until([] { return arch::percpu_load(exit_work) != 0; });
}
void settler(void*) {
    spin_until([] { return g_sent.load(std::memory_order_acquire); });
    spin_until([] {
        smp::PreemptGuard const here;
        return sched::current().affinity().contains(smp::this_cpu(here));
    });
}

}  // namespace

// Notices that come before the thread runs, before it parks, and after: each shows what was done before it.
INTERLEAVE(scheduler_notices, {.steps = 20000, .spins_expire = true, .cpus = 2, .samples = 500}) {
    run_scheduler(2, [] {
        Ref<sched::Thread> const thread = start(noted);
        for (auto& flag : g_noted) {
            flag.store(true, std::memory_order_relaxed);
            smp::WakePath const path;
            thread->unpark();
        }
        REQUIRE(thread->join().has_value());
    });
}
INTERLEAVE(scheduler_two_cpus, {.steps = 20000, .spins_expire = true, .cpus = 2, .samples = 500}) {
    run_scheduler(2, [] {
        Ref<sched::Thread> const threads[] = {start(player), start(sleeper)};
        for (int i = 1; i <= 2; ++i) {
            REQUIRE(g_ping.up().has_value());
            g_pong.down();
            REQUIRE(g_ball == i);
        }
        for (auto const& thread : threads) REQUIRE(thread->join().has_value());
        REQUIRE(g_counted == 4);
    });
}
// More threads than CPUs: they wait in queues, are stolen and preempted.
INTERLEAVE(scheduler_three_cpus, {.steps = 40000, .spins_expire = true, .cpus = 3, .samples = 250}) {
    run_scheduler(3, [] {
        Ref<sched::Thread> const threads[] = {start(sleeper), start(counter), start(player), start(sleeper), start(counter)};
        REQUIRE(g_ping.up().has_value());
        REQUIRE(g_ping.up().has_value());
        for (auto const& thread : threads) REQUIRE(thread->join().has_value());
        REQUIRE(g_counted == 10);
        REQUIRE(g_ball == 2);
    });
}
// Threads are sent elsewhere, and given other priorities, while they run, wait in a queue, or sleep.
INTERLEAVE(scheduler_moves, {.steps = 20000, .spins_expire = true, .cpus = 2, .samples = 500}) {
    run_scheduler(2, [] {
        Ref<sched::Thread> const threads[] = {start(sleeper), start(counter)};
        send(*threads[0]);
        REQUIRE(threads[1]->set_policy({.kind = sched::PolicyKind::RoundRobin, .priority = 5}).has_value());
        send(*threads[1]);
        for (auto const& thread : threads) REQUIRE(thread->join().has_value());
        REQUIRE(g_counted == 4);
    });
}
// Work for the way out to user mode finds the thread wherever it is just going.
INTERLEAVE(scheduler_return_work, {.steps = 20000, .spins_expire = true, .cpus = 2, .samples = 1000}) {
    run_scheduler(2, [] {
        Ref<sched::Thread> const thread = start(returner);
        thread->set_return_work();
        REQUIRE(thread->join().has_value());
    });
}
// A thread that is sent to another CPU goes there at once, also when it is just going elsewhere.
INTERLEAVE(scheduler_affinity, {.steps = 20000, .spins_expire = true, .cpus = 2, .samples = 300}) {
    run_scheduler(2, [] {
        Ref<sched::Thread> const thread = start(settler);
        send(*thread);
        g_sent.store(true, std::memory_order_release);
        REQUIRE(thread->join().has_value());
    });
}

}  // namespace tutti::interleave
