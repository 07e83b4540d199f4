// SPDX-License-Identifier: BSD-3-Clause
#include "harness/watchdog.hpp"

#include <atomic>

#include "arch/cpu.hpp"
#include "base/format.hpp"
#include "hal/clock.hpp"
#include "hal/console.hpp"
#include "hal/power.hpp"
#include "sched/timers/timer.hpp"
#include "smp/debug/panic.hpp"
#include "smp/ipi/call.hpp"
#include "smp/percpu/percpu.hpp"

namespace tutti::harness {
namespace {

constexpr Nanoseconds kTick = Nanoseconds::from_s(1);
// What the waiting thread has left to react before a timer does.
constexpr Nanoseconds kGrace = Nanoseconds::from_s(2);

// Written by the runner between cases: a timer that looks meanwhile sees no deadline.
constinit std::string_view g_name;
constinit Nanoseconds g_limit{0};
constinit std::atomic<i64> g_deadline{kNever.count()};
constinit std::atomic<bool> g_given_up{false};

ISR_SAFE void tick(void* timer) {
    Nanoseconds const now = hal::now();
    // acquire: pairs with the release in watchdog_watch(); the name is the deadline's.
    i64 const deadline = g_deadline.load(std::memory_order_acquire);
    if (deadline != kNever.count() && now.count() > deadline + kGrace.count()) give_up(g_name, g_limit);
    static_cast<sched::Timer*>(timer)->start(now + kTick);
}

struct Watch {
    sched::Timer timer{tick, &timer};
};
constinit smp::DynamicPerCpu<Watch> g_watches;  // never stopped, so they live for ever

}  // namespace

void watchdog_init() {
    auto watches = smp::DynamicPerCpu<Watch>::create();
    CHECK(watches, "no memory for the watchdog's timers");
    g_watches = std::move(*watches);
    smp::call_on_all(
        [](void*) ISR_SAFE_LAMBDA { g_watches.local(smp::AssumeIrqOff{}).timer.start(hal::now() + kTick); }, nullptr);
}

void watchdog_watch(std::string_view name, Nanoseconds limit, Deadline deadline) {
    g_deadline.store(kNever.count(), std::memory_order_relaxed);
    g_name = name;
    g_limit = limit;
    g_deadline.store(deadline.count(), std::memory_order_release);
}

void give_up(std::string_view name, Nanoseconds limit) {
    ISR_NOTE("ends-machine", "a test hangs: what follows is the report and the end");
    // relaxed: only one reports; the others wait to be asked for their part of the report.
    while (g_given_up.exchange(true, std::memory_order_relaxed)) arch::pause();
    char line[200];
    hal::early_console_write(
        format_to(line, "# {} did not end within {} ms; every CPU:\n", name, limit.count() / 1'000'000));
    smp::report_all_cpus();
    hal::early_console_write("Bail out! a test hangs\n");
    hal::debug_exit(1);
}

}  // namespace tutti::harness
