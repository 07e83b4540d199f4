// SPDX-License-Identifier: BSD-3-Clause
// Waiting for grace periods: spin a little, for CPUs mostly come by soon; then sleep in between, and interrupt those that
// still do not come. Callbacks are in callbacks.cpp.
#include "smp/rcu/rcu.hpp"

#include "base/log.hpp"
#include "hal/clock.hpp"
#include "smp/debug/panic.hpp"
#include "smp/ipi/call.hpp"
#include "smp/rcu/rcu_internal.hpp"

namespace tutti::smp::rcu {

namespace detail {
constinit GracePeriods grace_periods;
PERCPU_SECTION constinit PerCpu<QuiescentWord> words;
constinit std::atomic<ThreadHooks const*> thread_hooks{nullptr};
}  // namespace detail

namespace {

using detail::grace_periods;
using detail::words;

constexpr u32 kSpins = 200;
constexpr Nanoseconds kShortestSleep = Nanoseconds::from_us(50);
constexpr Nanoseconds kLongestSleep = Nanoseconds::from_ms(1);
constexpr Nanoseconds kInterruptInterval = Nanoseconds::from_ms(10);

// relaxed: numbers that stand for themselves.
constinit std::atomic<i64> g_stall_threshold{kStallThreshold.count()};
constinit std::atomic<u64> g_interrupts{0};
constinit std::atomic<u64> g_stalls{0};
// Grace periods up to this one are in a hurry.
constinit std::atomic<Ticket> g_hurry{0};

QuiescentWord& word_of(u32 cpu) { return words.on(CpuId{cpu}); }

// The interrupt that a CPU gets that did not come by. If preemption is off there, the CPU switches threads as soon as it
// is on again.
ISR_SAFE void come_by(void*) {
    AssumeIrqOff const here;
    if (preempt_depth() == 0)
        note_quiescent(here);
    else if (grace_periods.is_behind(words.local(here)))
        want_reschedule();
}

struct Interrupter {
    CallRequest request{&come_by, nullptr};
    std::atomic<Ticket> stall_reported{0};
};
PERCPU_SECTION constinit PerCpu<Interrupter> g_interrupters;

ISR_SAFE void interrupt_those_behind(Ticket ticket, u32 cursor) {
    for (u32 cpu = cursor; cpu < cpu_count(); ++cpu)
        if (!GracePeriods::has_passed(word_of(cpu), ticket) && g_interrupters.on(CpuId{cpu}).request.send(CpuId{cpu}))
            g_interrupts.fetch_add(1, std::memory_order_relaxed);
}

void report_stall(Ticket ticket, u32 cpu, Nanoseconds waited) {
    Ticket const seen = word_of(cpu).seen.load(std::memory_order_relaxed);
    if (seen == GracePeriods::kExtended || seen >= ticket) return;
    // relaxed: one of those who wait for this CPU reports. The same number is the same stall.
    if (g_interrupters.on(CpuId{cpu}).stall_reported.exchange(seen, std::memory_order_relaxed) == seen) return;
    g_stalls.fetch_add(1, std::memory_order_relaxed);
    log_warn("rcu: cpu {} has been in a read section or without preemption for {} ms; grace period {} waits for it", cpu,
             waited.count() / 1'000'000, ticket);
    report_cpu(CpuId{cpu});
}

void rest(Nanoseconds duration) {
    // acquire: pairs with the release in set_thread_hooks().
    if (auto const* const hooks = detail::thread_hooks.load(std::memory_order_acquire))
        hooks->sleep(duration);
    else
        arch::pause();
}

}  // namespace

bool detail::is_hurried(Ticket ticket) { return g_hurry.load(std::memory_order_relaxed) >= ticket; }

void detail::wait_for(Ticket ticket, Nanoseconds patience) {
    might_sleep();
    u32 const cpus = cpu_count();
    u32 cursor = 0;
    auto const look = [&] {
        quiescent_point();
        return grace_periods.look(ticket, cursor, cpus, word_of);
    };
    for (u32 i = 0; i < kSpins; ++i) {
        if (look()) return;
        arch::pause();
    }
    Nanoseconds const start = hal::now();
    Nanoseconds next_interrupt = start + patience;
    Nanoseconds sleep = kShortestSleep;
    while (!look()) {
        Nanoseconds const now = hal::now();
        if (now >= next_interrupt || (next_interrupt == start + patience && is_hurried(ticket))) {
            interrupt_those_behind(ticket, cursor);
            next_interrupt = now + kInterruptInterval;
        }
        if ((now - start).count() >= g_stall_threshold.load(std::memory_order_relaxed))
            report_stall(ticket, cursor, now - start);
        rest(sleep);
        if (sleep < kLongestSleep) sleep = sleep + sleep;
    }
}

void wait_for(Ticket ticket) { detail::wait_for(ticket, Nanoseconds{}); }
void synchronize() {
    might_sleep();
    wait_for(grace_periods.start());
}

ISR_SAFE void expedite() {
    Ticket const newest = grace_periods.newest();
    Ticket hurried = g_hurry.load(std::memory_order_relaxed);
    while (hurried < newest &&
           !g_hurry.compare_exchange_weak(hurried, newest, std::memory_order_relaxed, std::memory_order_relaxed)) {
    }
    if (hurried < newest) interrupt_those_behind(newest, 0);
}

void set_thread_hooks(ThreadHooks const& hooks) {
    detail::thread_hooks.store(&hooks, std::memory_order_release);
}

Nanoseconds set_stall_threshold(Nanoseconds threshold) {
    return Nanoseconds{g_stall_threshold.exchange(threshold.count(), std::memory_order_relaxed)};
}

Statistics statistics() {
    return {.grace_periods = grace_periods.newest() - 1,
            .interrupts = g_interrupts.load(std::memory_order_relaxed),
            .stalls = g_stalls.load(std::memory_order_relaxed),
            .pending = detail::pending_callbacks()};
}

}  // namespace tutti::smp::rcu
