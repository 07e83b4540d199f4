// SPDX-License-Identifier: BSD-3-Clause
#include "sched/wait/once.hpp"

#include <optional>

#include "sched/wait/crew_test.hpp"

namespace tutti::sched {
namespace {

TEST_ALL_CPUS(once, happens_once_under_contention) {
    constexpr u32 kRounds = 20;
    static std::optional<Once> once;
    static u32 done = 0;  // plain: Once orders it
    for (u32 round = 0; round < kRounds; ++round) {
        if (cpu.value() == 0) {
            once.emplace();
            done = 0;
        }
        harness::meet();
        once->call([&] {
            if (round % 4 == 0) yield();  // the others come to wait
            ++done;
        });
        EXPECT_EQ(done, u32{1});
        EXPECT(once->is_done());
        harness::meet();
    }
    if (cpu.value() == 0) once.reset();
}

// After a failure the next one does it, first of all one that waits.
TEST(once, is_tried_again_after_a_failure) {
    Once once;
    u32 const threads = smp::online_count() + 3;
    std::atomic<u32> tries{0};
    std::atomic<u32> failures{0};
    {
        Crew crew{threads, [&](u32) {
            Result<> const result = once.call_until(
                [&]() -> Result<> {
                    yield();
                    if (tries.fetch_add(1) < 2) return fail(Error::NoMemory);
                    return {};
                },
                kNever, WaitMode::Uninterruptible);
            if (!result) {
                EXPECT_EQ(result.error(), Error::NoMemory);
                failures.fetch_add(1);
            }
        }};
    }
    EXPECT_EQ(tries.load(), u32{3});
    EXPECT_EQ(failures.load(), u32{2});
    EXPECT(once.is_done());
}

TEST(once, wait_is_timed_and_cancelled) {
    Once once;
    std::atomic<bool> go_on{false};
    Crew doer{1, [&](u32) { once.call([&] { yield_until([&] { return go_on.load(); }); }); }};
    bool ran = false;
    auto const body = [&] { ran = true; };
    // Only once somebody else does it is there something to wait for.
    std::atomic<bool> begun{false};
    Crew waiter{1, [&](u32) {
        Deadline const deadline = soon();
        Result<> const timed = once.call_until(body, deadline, WaitMode::Uninterruptible);
        if (ran) return;  // we came first after all
        EXPECT(timed.has_value() || hal::now() >= deadline);
        begun.store(true);
        EXPECT_ERROR(once.call_until(body, kNever, WaitMode::Interruptible), Error::Interrupted);
    }};
    yield_until([&] { return begun.load() || waiter[0].has_ended(); });
    waiter[0].interrupt();
    waiter.join();
    EXPECT(!ran || once.is_done());
    go_on.store(true);
}

}  // namespace
}  // namespace tutti::sched
