// SPDX-License-Identifier: BSD-3-Clause
#include "platform/linuxu/clock.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>

#include "arch/host_call.hpp"
#include "arch/cpu.hpp"
#include "arch/traps.hpp"
#include "base/assert.hpp"
#include "hal/clock.hpp"

namespace tutti::platform {
namespace {

constinit hal::CounterScale scale{};
constinit u64 frequency = 0;
constinit Nanoseconds boot_wall_clock{};
constinit void (*timer_handler)() = nullptr;

TUTTI_PERCPU int host_timer = -1;

i64 host_clock(clockid_t clock) {
    timespec time{};
    arch::host_call(SYS_clock_gettime, static_cast<u64>(clock), arch::host_argument(&time));
    return i64{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The counter at a moment of the host's clock; the closest of several tries, as the host may take the CPU in between.
struct Moment {
    u64 counter;
    i64 time;
};
Moment take_moment() {
    Moment best{};
    u64 best_width = ~u64{0};
    for (int i = 0; i < 20; ++i) {
        u64 const before = arch::read_counter_ordered();
        i64 const time = host_clock(CLOCK_MONOTONIC_RAW);
        u64 const width = arch::read_counter_ordered() - before;
        if (width < best_width) {
            best_width = width;
            best = {before + width / 2, time};
        }
    }
    return best;
}

}  // namespace

// Five milliseconds give about five digits. Timers are set relative to now, so the two clocks need not agree over long
// times; a timer that fires early is set again.
void clock_init() {
    Moment const start = take_moment();
    frequency = arch::stated_counter_frequency();
    if (frequency == 0) {
        while (host_clock(CLOCK_MONOTONIC_RAW) < start.time + 5'000'000) arch::pause();
        Moment const end = take_moment();
        frequency = static_cast<u64>(static_cast<unsigned __int128>(end.counter - start.counter) * 1'000'000'000 /
                                     static_cast<u64>(end.time - start.time));
    }
    scale = hal::CounterScale::of(frequency, start.counter);
    boot_wall_clock = Nanoseconds{host_clock(CLOCK_REALTIME)} - hal::now();
}

void clock_init_cpu(void* area) {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = arch::kTimerSignal;
    event.sigev_value.sival_ptr = area;
    event._sigev_un._tid = static_cast<int>(arch::host_call(SYS_gettid));
    int timer = -1;
    i64 const result = arch::host_call(SYS_timer_create, CLOCK_MONOTONIC, arch::host_argument(&event),
                                       arch::host_argument(&timer));
    CHECK(result == 0, "the host has no timer for this CPU: {}", result);
    arch::percpu_store(host_timer, timer);
}

void timer_interrupt() {
    if (timer_handler != nullptr) timer_handler();
}

}  // namespace tutti::platform

namespace tutti::hal {

using namespace platform;

Nanoseconds now() { return scale.to_nanoseconds(arch::read_counter_ordered()); }
Nanoseconds sched_clock() { return scale.to_nanoseconds(arch::read_counter()); }

CounterScale counter_scale() { return scale; }
u64 counter_frequency() { return frequency; }
Nanoseconds wall_clock_at_boot() { return boot_wall_clock; }
void set_timer_handler(void (*handler)()) { timer_handler = handler; }

void arm_timer(Deadline deadline) {
    itimerspec time{};
    if (deadline != kNever) {
        // Zero would disarm it.
        i64 const delta = std::max<i64>((deadline - now()).count(), 1);
        time.it_value = {.tv_sec = delta / 1'000'000'000, .tv_nsec = delta % 1'000'000'000};
    }
    arch::host_call(SYS_timer_settime, static_cast<u64>(arch::percpu_load(host_timer)), 0, arch::host_argument(&time), 0);
}

void delay(Nanoseconds duration) {
    Nanoseconds const until = now() + duration;
    while (now() < until) arch::pause();
}

}  // namespace tutti::hal
