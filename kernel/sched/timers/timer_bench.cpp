// SPDX-License-Identifier: BSD-3-Clause
#include "harness/bench.hpp"
#include "sched/timers/sleep.hpp"
#include "sched/timers/timer.hpp"
#include "smp/context/context.hpp"

namespace tutti::sched {
namespace {

BENCH(timers, now) {
    bench.count([] { asm volatile("" ::"r"(hal::now().count())); });
}
BENCH(timers, start_cancel) {
    static constinit Timer timer{[](void*) ISR_SAFE_LAMBDA {}, nullptr};
    Deadline const far = hal::now() + Nanoseconds::from_s(1000);
    bench.count([&] {
        timer.start(far);
        (void)timer.cancel();
    });
}
// Among a hundred others with earlier deadlines, so that the hardware is left alone.
BENCH(timers, start_cancel_among_100) {
    struct Idle {
        Timer timer{[](void*) ISR_SAFE_LAMBDA {}, nullptr};
    };
    static constinit Idle others[100];
    static constinit Timer timer{[](void*) ISR_SAFE_LAMBDA {}, nullptr};
    smp::PinGuard const pin;
    Deadline const far = hal::now() + Nanoseconds::from_s(1000);
    for (u32 i = 0; i < 100; ++i) others[i].timer.start(far + Nanoseconds::from_us(i));
    bench.count([&] {
        timer.start(far + Nanoseconds::from_s(1));
        (void)timer.cancel();
    });
    for (Idle& other : others) (void)other.timer.cancel();
}

}  // namespace
}  // namespace tutti::sched
