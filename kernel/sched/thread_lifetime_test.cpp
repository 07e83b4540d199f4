// SPDX-License-Identifier: BSD-3-Clause
// Threads that nobody else holds: they may be gone before the call that made them runnable has returned.
#include <optional>
#include <tuple>

#include "hal/clock.hpp"
#include "harness/test.hpp"
#include "sched/thread.hpp"
#include "sched/timers/sleep.hpp"
#include "smp/debug/race_point.hpp"

namespace tutti::sched {
namespace {

// Every CPU starts threads that drop the creator's reference themselves, and sleeps now and then, so that it goes idle
// and takes what others have just queued. Freed threads are poisoned: a use of one is a wild pointer.
TEST_ALL_CPUS(thread, may_end_before_start_returns) {
    constexpr u32 kThreads = 300;
    std::optional<smp::RaceAmplifier> amplifier;
    if (cpu.value() == 0) amplifier.emplace(2000);
    harness::meet();
    std::atomic<u32> ended{0};
    SplitMix64 random = harness::random(cpu.value());
    for (u32 i = 0; i < kThreads; ++i) {
        auto const brief = [](void* count) {
            auto& ended_count = *static_cast<std::atomic<u32>*>(count);
            std::ignore = Ref<Thread>::adopt(&current());
            ended_count.fetch_add(1, std::memory_order_release);  // pairs with the acquire below
        };
        Result<Ref<Thread>> made = Thread::create({.name = "brief"}, brief, &ended);
        REQUIRE(made.has_value());
        made->leak()->start();
        if (random.below(4) == 0) std::ignore = sleep_for(Nanoseconds::from_us(static_cast<i64>(random.below(100))));
    }
    while (ended.load(std::memory_order_acquire) != kThreads) std::ignore = sleep_for(Nanoseconds::from_us(100));
    harness::meet();
}

}  // namespace
}  // namespace tutti::sched
