// SPDX-License-Identifier: BSD-3-Clause
#include "hal/clock.hpp"

#include <atomic>

#include "arch/cpu.hpp"
#include "harness/test.hpp"
#include "sched/timers/sleep.hpp"

namespace tutti::hal {
namespace {

TEST_ALL_CPUS(clock, never_goes_back_on_any_cpu) {
    static constinit std::atomic<i64> latest{0};
    for (u32 i = 0; i < 20000; ++i) {
        // acquire: the time that we read next is after the one that was published.
        i64 const published = latest.load(std::memory_order_acquire);
        i64 const here = now().count();
        if (!EXPECT(here >= published)) return harness::note("{} after {}", here, published);
        i64 before = published;
        while (before < here && !latest.compare_exchange_weak(before, here, std::memory_order_acq_rel)) {
        }
    }
}

TEST(clock, counter_scale_is_what_now_uses) {
    CounterScale const scale = counter_scale();
    EXPECT(counter_frequency() > 1'000'000);
    harness::note("counter: {} kHz", counter_frequency() / 1000);
    for (u32 i = 0; i < 100; ++i) {
        i64 const before = now().count();
        u64 const ticks = arch::read_tsc_ordered() - scale.base;
        i64 const after = now().count();
        auto const between = static_cast<i64>(static_cast<unsigned __int128>(ticks) * scale.multiplier >> scale.shift);
        if (!EXPECT(before <= between && between <= after)) return;
    }
    // A second of ticks is a second, to a millionth.
    auto const second =
        static_cast<i64>(static_cast<unsigned __int128>(counter_frequency()) * scale.multiplier >> scale.shift);
    EXPECT(second > 999'999'000 && second < 1'000'001'000);
}

// Deadlines fire on every CPU, never early, and not very late (the limit leaves room for a busy host).
TEST_ALL_CPUS(clock, deadlines_fire_on_every_cpu) {
    for (u32 i = 0; i < 5; ++i) {
        Deadline const deadline = now() + Nanoseconds::from_us(200 + cpu.value() * 37 + i * 1000);
        (void)sched::sleep_until(deadline);
        Nanoseconds const late = now() - deadline;
        EXPECT(late >= Nanoseconds{});
        EXPECT(late < Nanoseconds::from_s(2));
    }
}

TEST(clock, the_wall_clock_is_plausible) {
    constexpr i64 kYear2024 = 1'704'067'200;
    EXPECT(wall_clock_at_boot().count() / 1'000'000'000 > kYear2024);
}

}  // namespace
}  // namespace tutti::hal
