// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/event.hpp"

#include <cstring>

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

TEST(event, releases_everybody_until_it_is_reset) {
    Event event;
    EXPECT_ERROR(event.wait(past()), Error::TimedOut);
    u32 plain = 0;
    std::atomic<u32> released{0};
    constexpr u32 kWaiters = 40;  // more than any batch
    {
        Crew crew{kWaiters, [&](u32) {
            EXPECT(event.wait().has_value());
            EXPECT_EQ(plain, u32{7});
            released.fetch_add(1);
        }};
        for (u32 i = 0; i < kWaiters; ++i) yield_until_sleeping(crew[i]);
        EXPECT_EQ(released.load(), u32{0});
        plain = 7;
        event.set();
    }
    EXPECT_EQ(released.load(), kWaiters);
    EXPECT(event.is_set() && event.wait(past()).has_value());
    event.reset();
    EXPECT(!event.is_set());
    EXPECT_ERROR(event.wait(soon()), Error::TimedOut);
}

TEST_ALL_CPUS(event, times_out_on_every_cpu) {
    static Event never;
    Deadline const deadline = soon();
    EXPECT_ERROR(never.wait(deadline), Error::TimedOut);
    EXPECT(hal::now() >= deadline);
}

TEST(event, wait_is_cancelled) {
    Event event;
    Crew waiter{1, [&](u32) { EXPECT_ERROR(event.wait(kNever, WaitMode::Interruptible), Error::Interrupted); }};
    yield_until_sleeping(waiter[0]);
    waiter[0].interrupt();
}

// The waiter destroys the event as soon as its wait is over, whatever set() still has to do.
TEST_ALL_CPUS(event, may_be_destroyed_after_the_wait) {
    static std::atomic<Event*> offered{nullptr};
    // Even CPUs wait, on events of their own; odd ones (and on one CPU a thread of its own) set whatever is offered.
    std::atomic<bool> done{false};
    auto const set_offered = [&] {
        if (Event* const event = offered.exchange(nullptr)) event->set();
    };
    if (cpu.value() != 0) {
        for (u32 i = 0; i < 300; ++i) {
            set_offered();
            yield();
        }
    } else {
        Crew setter{1, [&](u32) {
            while (!done.load()) {
                set_offered();
                yield();
            }
        }};
        SplitMix64 random = harness::random();
        for (u32 round = 0; round < 200; ++round) {
            alignas(Event) std::byte memory[sizeof(Event)];
            auto* const event = new (memory) Event;
            offered.store(event);
            if (random.below(2) == 0) yield();
            EXPECT(event->wait().has_value());
            event->~Event();
            std::memset(memory, 0xee, sizeof memory);
            for (u32 i = 0; i < 50; ++i) arch::pause();
            for (std::byte const b : memory) REQUIRE(b == std::byte{0xee});
        }
        done.store(true);
    }
}

}  // namespace
}  // namespace tutti::sched
